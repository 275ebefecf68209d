//! Unpaid units return to stock soon after their hold ends.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::stack::{Stack, Units, eventually};

/// The promise on AWS and here: a unit is available at most this long after its hold ends.
const SOON: SignedDuration = SignedDuration::from_secs(5);

async fn back_in_stock(stack: &Stack, product: &str) -> Timestamp {
    eventually("units back in stock", Duration::from_mins(1), async || {
        (stack.units(product).await == Units { available: 5, held: 0, sold: 0 }).then(crate::stack::now)
    })
    .await
}

#[tokio::test]
async fn a_hold_that_nobody_pays_returns_within_five_seconds_of_its_end() {
    let stack = Stack::running();
    let product = stack.sale("expiry", json!({"hold_seconds": 5})).await;
    let shopper = stack.shopper(8).await;
    let reserved = shopper.reserve(&product).await.expect(201);
    let id = reserved.text("reservation_id");
    assert_eq!(stack.units(&product).await.held, 1);
    let end: Timestamp = reserved.text("reservation_expiry").parse().unwrap();
    let back = back_in_stock(&stack, &product).await;
    assert!(back >= end, "not before its end");
    assert!(back.duration_since(end) <= SOON, "{} after its end", back.duration_since(end));
    shopper.get(&format!("/reservations/{id}")).await.refuses(404, "unknown-reservation");
    shopper.check_out(id, "sandbox:ok").await.refuses(410, "reservation-expired");
}

#[tokio::test]
async fn an_order_that_nobody_pays_expires_with_its_hold() {
    let stack = Stack::running();
    let product = stack.sale("expiry-order", json!({"hold_seconds": 5})).await;
    let shopper = stack.shopper(9).await;
    let path = format!("/api/flash-sales/{product}/order");
    let placed = shopper.send(reqwest::Method::POST, &path, &[], None).await.expect(202);
    let order = placed.text("order_id");
    let expired = shopper.order_becomes(order, "expired").await;
    assert_eq!(expired.text("inventory_status"), "released");
    back_in_stock(&stack, &product).await;
    let pay = json!({"order_id": order, "payment_method": "sandbox:ok", "amount": "999"});
    shopper.post("/payment", &pay).await.refuses(410, "reservation-expired");
}

#[tokio::test]
async fn a_cancelled_hold_returns_within_five_seconds() {
    let stack = Stack::running();
    let product = stack.sale("cancel", json!({})).await;
    let shopper = stack.shopper(8).await;
    let reserved = shopper.reserve(&product).await.expect(201);
    let path = format!("/reservations/{}", reserved.text("reservation_id"));
    let cancelled = crate::stack::now();
    shopper.delete(&path).await.expect(204);
    let back = back_in_stock(&stack, &product).await;
    assert!(back.duration_since(cancelled) <= SOON, "{} after the cancellation", back.duration_since(cancelled));
    shopper.delete(&path).await.expect(204);
}
