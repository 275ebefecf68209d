//! `fail-order` on a real DynamoDB engine: each way in which an attempt ends without a purchase, late, twice and cut off.
#![expect(clippy::panic, clippy::unnecessary_wraps, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod crashes;
mod lateness;
mod payment_failed;
mod refunds;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AttemptStatus, Order, OrderStatus, PaymentStatus, StockStatus};
use fail_order::FailOrder;
use scene::{Buyer, Scene, Stage};
use serde_json::{Value, json};
use testkit::Calls;

/// What the task answers: its output, or the name of its error.
type Answer = Result<Value, String>;

async fn at(stage: Stage) -> (Scene, Buyer) {
    let (scene, buyer) = (Scene::open().await, Buyer::first());
    scene.bring(&buyer, stage).await;
    (scene, buyer)
}

/// The first payment was declined, and nothing came of that yet.
async fn at_declined() -> (Scene, Buyer) {
    let (scene, buyer) = at(Stage::Pending).await;
    scene.attempt(&buyer, 1, "sandbox", AttemptStatus::Declined).await;
    (scene, buyer)
}

async fn run(scene: &Scene, calls: &Calls, input: Value) -> Answer {
    let client = scene.dynamo.client_with(calls);
    let function = FailOrder {
        clock: scene.shared_clock(),
        orders: scene.orders_on(client.clone()),
        attempts: scene.attempts_on(client.clone()),
        reservations: scene.reservations_on(client.clone()),
        purchases: scene.purchases_on(client),
        expiry: scene.expiry_queue(calls),
    };
    scene::task(input, |task| function.handle(task)).await
}

async fn on(scene: &Scene, event: &str) -> Answer {
    run(scene, &Calls::new(), event_of(event)).await
}

fn event_of(event: &str) -> Value {
    testkit::event_value(&format!("fail-order/{event}.json"))
}

fn status(status: &str) -> Answer {
    Ok(json!({"order_status": status}))
}

fn error(name: &str) -> Answer {
    Err(name.to_owned())
}

fn statuses(order: &Order) -> (OrderStatus, PaymentStatus, StockStatus) {
    (order.status, order.payment_status, order.stock_status)
}

/// Deletes the reservation as nothing in the product does while it is being paid.
async fn lose_the_reservation(scene: &Scene, buyer: &Buyer) {
    let text = |text: String| AttributeValue::S(text);
    let delete = scene.dynamo.client().delete_item().table_name(scene.dynamo.reservation_table());
    let delete = delete.key("pk", text(format!("SHOPPER#{}", buyer.shopper))).key("sk", text("SALE#demo".to_owned()));
    delete.send().await.unwrap();
}
