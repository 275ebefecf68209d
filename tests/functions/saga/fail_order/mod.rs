//! `fail-order` on a real DynamoDB engine: each way in which an attempt ends without a purchase, late, twice and cut off.
#![expect(clippy::panic, clippy::unnecessary_wraps, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod crashes;
mod lateness;
mod payment_failed;
mod refunds;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AttemptStatus, Order, OrderStatus, PaymentStatus, StockStatus};
use fail_order::FailOrder;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, at, error};

/// The first payment was declined, and nothing came of that yet.
async fn at_declined() -> (Shop, Buyer) {
    let (shop, buyer) = at(Stage::Pending).await;
    shop.attempt(&buyer, 1, "sandbox", AttemptStatus::Declined).await;
    (shop, buyer)
}

async fn run(shop: &Shop, calls: &Calls, input: Value) -> Answer {
    test_shop::task(&shop.wire::<FailOrder>(calls), input).await
}

async fn on(shop: &Shop, event: &str) -> Answer {
    run(shop, &Calls::new(), event_of(event)).await
}

fn event_of(event: &str) -> Value {
    test_aws::event_value(&format!("fail-order/{event}.json"))
}

fn status(status: &str) -> Answer {
    Ok(json!({"order_status": status}))
}

fn statuses(order: &Order) -> (OrderStatus, PaymentStatus, StockStatus) {
    (order.status, order.payment_status, order.stock_status)
}

/// Deletes the reservation as nothing in the product does while it is being paid.
async fn lose_the_reservation(shop: &Shop, buyer: &Buyer) {
    let text = |text: String| AttributeValue::S(text);
    let delete = shop.dynamo.client().delete_item().table_name(shop.dynamo.reservation_table());
    let delete = delete.key("pk", text(format!("SHOPPER#{}", buyer.shopper))).key("sk", text("SALE#demo".to_owned()));
    delete.send().await.unwrap();
}
