//! `fail-order` on a real DynamoDB engine: each way in which an attempt ends without a purchase, late, twice and cut off.
#![expect(clippy::panic, clippy::unnecessary_wraps, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod crashes;
mod lateness;
mod payment_failed;
mod refunds;

use domain::{Order, OrderStatus, PaymentStatus, StockStatus};
use fail_order::FailOrder;
use serde_json::json;
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, at, error};

/// The sale `demo` with one purchase at `stage`. The Reservation stream is read up to here.
async fn stage_read(stage: Stage) -> (Shop, Buyer) {
    let (shop, buyer) = at(stage).await;
    shop.dynamo.reservation_records();
    (shop, buyer)
}

/// Runs the task on one of its sample events.
async fn on(shop: &Shop, event: &str) -> Answer {
    super::on::<FailOrder>(shop, &format!("fail-order/{event}")).await
}

fn status(status: &str) -> Answer {
    Ok(json!({"order_status": status}))
}

fn statuses(order: &Order) -> (OrderStatus, PaymentStatus, StockStatus) {
    (order.status, order.payment_status, order.stock_status)
}
