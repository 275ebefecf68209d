//! The API through CloudFront and the gate, by CloudFront's host name.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::stack::{Answer, Person, Stack, eventually};

/// Changes reach the gate within seconds: a second of the stream's batching, a poll, and the run of `feed-edge`.
const SOON: Duration = Duration::from_secs(15);

/// Reserves a unit through the edge, with the parameter by which the gate judges.
async fn reserve(shopper: &Person, product: &str) -> Answer {
    let path = format!("/reserve-inventory?product_id={product}");
    shopper.at_the_edge().post(&path, &json!({"product_id": product})).await
}

/// The gate's refusal, once it has learned of what is refused.
async fn the_gate_refuses(shopper: &Person, product: &str, status: u16, code: &str) -> Answer {
    eventually(&format!("refusal by the gate with {code}"), SOON, async || {
        let answer = reserve(shopper, product).await;
        answer.is_of_the_gate.then_some(answer)
    })
    .await
    .refuses(status, code)
}

#[tokio::test]
async fn a_sale_that_has_not_started_is_refused_at_the_edge_in_the_apis_own_words() {
    let stack = Stack::running();
    let starts_at = crate::stack::now() + jiff::SignedDuration::from_secs(1800);
    let product = stack.sale("edge-early", json!({"starts_at": starts_at})).await;
    let shopper = stack.shopper(8).await;
    let gate = the_gate_refuses(&shopper, &product, 409, "sale-not-started").await;
    let api = shopper.reserve(&product).await.refuses(409, "sale-not-started");
    assert_eq!((gate.text("starts_at"), gate.text("detail")), (api.text("starts_at"), api.text("detail")));
    assert!(gate.retry_after.unwrap().abs_diff(api.retry_after.unwrap()) <= 3, "{gate:?} {api:?}");
    let order = format!("/api/flash-sales/{product}/order");
    let order = shopper.at_the_edge().send(Method::POST, &order, &[], None).await.refuses(409, "sale-not-started");
    assert!(order.is_of_the_gate);
}

#[tokio::test]
async fn a_sold_out_sale_is_refused_at_the_edge_until_a_unit_comes_back_and_a_closed_one_for_good() {
    let stack = Stack::running();
    let product = stack.sale("edge-sold-out", json!({"units": 1})).await;
    let (winner, loser) = (stack.shopper(8).await, stack.shopper(9).await);
    let reserved = reserve(&winner, &product).await.expect(201);
    let refused = the_gate_refuses(&loser, &product, 409, "sold-out").await;
    assert_eq!((&refused.body["available_quantity"], &refused.body["holds"]["count"]), (&json!(0), &json!(1)));

    winner.delete(&format!("/reservations/{}", reserved.text("reservation_id"))).await.expect(204);
    eventually("unit for the loser", SOON, async || {
        let answer = reserve(&loser, &product).await;
        (answer.status == 201).then_some(())
    })
    .await;

    let operator = stack.sign_in("ops@example.com").await;
    operator.at_the_edge().post(&format!("/admin/flash-sales/{product}/close"), &json!({})).await.expect(200);
    the_gate_refuses(&loser, &product, 410, "sale-ended").await;
}

#[tokio::test]
async fn a_purchase_and_the_public_reads_work_through_the_edge() {
    let stack = Stack::running();
    let product = stack.sale("edge-purchase", json!({})).await;
    let shopper = stack.shopper(8).await.at_the_edge();
    stack.nobody().at_the_edge().get(&format!("/api/flash-sales/{product}")).await.expect(200);
    stack.nobody().at_the_edge().get(&format!("/inventory/{product}")).await.expect(200);
    reserve(&stack.nobody(), &product).await.refuses(401, "unauthenticated");
    let reserved = reserve(&shopper, &product).await.expect(201);
    let accepted = shopper.check_out(reserved.text("reservation_id"), "sandbox:ok").await.expect(202);
    shopper.order_becomes(accepted.text("order_id"), "completed").await;
}

#[tokio::test]
async fn the_parameter_must_name_the_bodys_product() {
    let stack = Stack::running();
    let product = stack.sale("edge-parameter", json!({})).await;
    let shopper = stack.shopper(8).await;
    let other = format!("/reserve-inventory?product_id={product}x");
    shopper.post(&other, &json!({"product_id": product})).await.refuses(400, "malformed-request");
    shopper.at_the_edge().post(&other, &json!({"product_id": product})).await.refuses(400, "malformed-request");
}
