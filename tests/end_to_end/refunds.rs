//! An operator refunds completed orders: what the shopper sees, and what the providers' own books hold.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    providers::{PRICE, Purchase},
    stack::{Answer, Person, Units, eventually},
};

const SOON: Duration = Duration::from_mins(1);

/// The operator's request under `key`, again until the shopper has been told of the purchase.
async fn refund(operator: &Person, order: &str, key: &str, body: &Value) -> Answer {
    let path = format!("/admin/orders/{order}/refund");
    eventually("a refund that can be asked for", SOON, async || {
        let answer = operator.send(Method::POST, &path, &[("Idempotency-Key", key)], Some(body.to_string())).await;
        (answer.status != 503).then_some(answer)
    })
    .await
}

fn part(amount_minor: u64) -> Value {
    json!({"amount": {"amount_minor": amount_minor, "currency": "USD"}})
}

#[tokio::test]
async fn an_operator_gives_a_part_back_at_stripe_and_then_the_rest() {
    let purchase = Purchase::begun("stripe:pm_card_visa", json!({})).await;
    purchase.is_paid().await;
    let (operator, order) = (purchase.stack.sign_in("ops@example.com").await, &purchase.order);
    for _ in 0..2 {
        let answer = refund(&operator, order, "scratched", &part(400)).await.expect(200);
        assert_eq!((answer.text("order_status"), answer.text("payment_status")), ("completed", "completed"));
        assert_eq!(purchase.at_stripe().await.0, (0, PRICE, 400), "the same again refunds nothing more");
    }
    refund(&operator, order, "scratched", &part(500)).await.refuses(422, "idempotency-key-reused");
    let refused = refund(&operator, order, "more", &part(PRICE)).await.refuses(409, "refund-too-large");
    assert_eq!(refused.body["refundable_minor"], json!(PRICE - 400));

    let answer = refund(&operator, order, "the-rest", &json!({})).await.expect(200);
    assert_eq!((answer.text("order_status"), answer.text("payment_status")), ("refunded", "refunded"));
    assert_eq!(purchase.at_stripe().await.0, (0, PRICE, PRICE));
    let seen = purchase.shopper.get(&format!("/orders/{order}")).await.expect(200);
    let refunds: Vec<&Value> = seen.body["refunds"].as_array().unwrap().iter().map(|it| &it["amount"]["amount_minor"]).collect();
    assert_eq!((seen.text("order_status"), refunds), ("refunded", vec![&json!(400), &json!(PRICE - 400)]));
    assert_eq!(purchase.units().await, Units { available: 4, held: 0, sold: 1 }, "the shopper keeps the unit");
    refund(&operator, order, "again", &json!({})).await.refuses(409, "not-refundable");
}

#[tokio::test]
async fn a_refund_at_paypal_that_returns_the_unit_lets_the_shopper_buy_again() {
    let purchase = Purchase::begun("paypal:checkout", json!({})).await;
    purchase.approves().await;
    purchase.is_paid().await;
    let operator = purchase.stack.sign_in("ops@example.com").await;
    let path = format!("/admin/orders/{}/refund", purchase.order);
    let by_shopper = purchase.shopper.send(Method::POST, &path, &[("Idempotency-Key", "mine")], Some("{}".to_owned())).await;
    by_shopper.refuses(403, "forbidden");

    let answer = refund(&operator, &purchase.order, "changed-mind", &json!({"return_unit": true})).await.expect(200);
    assert_eq!((answer.text("order_status"), answer.text("inventory_status")), ("refunded", "released"));
    assert_eq!(purchase.at_paypal().await, (0, PRICE, PRICE));
    assert_eq!(purchase.units().await, Units { available: 5, held: 0, sold: 0 });
    let again = purchase.shopper.order(&purchase.product, "sandbox:ok").await;
    assert_ne!(again, purchase.order);
    purchase.shopper.order_becomes(&again, "completed").await;
}
