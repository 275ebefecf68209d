//! Operating an open sale: pausing and closing it, adding units, reading its figures.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::stack::{Answer, Person, Stack, Units, eventually};

/// Sends an operator's command about a sale.
async fn operate(operator: &Person, product: &str, action: &str) -> Answer {
    operator.send(Method::POST, &format!("/admin/flash-sales/{product}/{action}"), &[], None).await
}

async fn restock(operator: &Person, product: &str, key: &str, units: u32) -> Answer {
    let (path, body) = (format!("/admin/flash-sales/{product}/restock"), json!({"units": units}).to_string());
    operator.send(Method::POST, &path, &[("Idempotency-Key", key)], Some(body)).await
}

async fn report(operator: &Person, product: &str) -> Answer {
    operator.get(&format!("/admin/flash-sales/{product}/report")).await.expect(200)
}

/// Repeats a reservation until the answer has one of these statuses. For a second, an execution environment goes by the
/// sale's earlier state.
async fn reserve_until(shopper: &Person, product: &str, statuses: &[u16]) -> Answer {
    eventually(&format!("{statuses:?} for a reservation"), Duration::from_secs(30), async || {
        let answer = shopper.reserve(product).await;
        statuses.contains(&answer.status).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn a_sale_is_paused_goes_on_and_is_closed_and_what_is_held_can_be_bought() {
    let stack = Stack::running();
    let product = stack.sale("paused", json!({})).await;
    let operator = stack.sign_in("ops@example.com").await;
    let (ann, bob) = (stack.shopper(6).await, stack.shopper(7).await);
    let held = ann.reserve(&product).await.expect(201).text("reservation_id").to_owned();

    for _ in 0..2 {
        assert_eq!(operate(&operator, &product, "pause").await.expect(200).text("state"), "paused");
    }
    reserve_until(&bob, &product, &[409]).await.refuses(409, "sale-paused");
    let order = ann.check_out(&held, "sandbox:ok").await.expect(202).text("order_id").to_owned();
    ann.order_becomes(&order, "completed").await;

    assert_eq!(operate(&operator, &product, "resume").await.expect(200).text("state"), "open");
    // The answer is 200 if the first request was served before the environment noticed the pause.
    reserve_until(&bob, &product, &[200, 201]).await;
    for _ in 0..2 {
        assert_eq!(operate(&operator, &product, "close").await.expect(200).text("state"), "ended");
    }
    operate(&operator, &product, "resume").await.refuses(409, "sale-ended");
    operate(&operator, &product, "pause").await.refuses(409, "sale-ended");
    restock(&operator, &product, "too-late", 5).await.refuses(409, "sale-ended");
    let sold_here = stack.units(&product).await;
    assert_eq!((sold_here.sold, sold_here.available + sold_here.held), (1, 4));
}

#[tokio::test]
async fn a_sold_out_sale_is_restocked_once_for_each_key_and_winners_keep_what_they_have() {
    let stack = Stack::running();
    let product = stack.sale("restocked", json!({"units": 1})).await;
    let operator = stack.sign_in("ops@example.com").await;
    let (ann, bob) = (stack.shopper(8).await, stack.shopper(9).await);
    let first = ann.reserve(&product).await.expect(201);
    bob.reserve(&product).await.refuses(409, "sold-out");

    let restocked = restock(&operator, &product, "monday", 30).await.expect(200);
    assert_eq!((restocked.text("state"), &restocked.body["units"]), ("open", &json!(31)));
    restock(&operator, &product, "monday", 30).await.expect(200);
    restock(&operator, &product, "monday", 31).await.refuses(422, "idempotency-key-reused");
    reserve_until(&bob, &product, &[201]).await;
    // An environment that does not know the winner may answer "sold out" from memory for a second.
    assert_eq!(reserve_until(&ann, &product, &[200]).await.body, first.body, "the same answer");
    assert_eq!(stack.units(&product).await, Units { available: 29, held: 2, sold: 0 });

    assert_eq!(restock(&operator, &product, "tuesday", 4).await.expect(200).body["units"], json!(35));
    let path = format!("/admin/flash-sales/{product}/restock");
    operator.post(&path, &json!({"units": 4})).await.refuses(400, "malformed-request");
    let too_many = restock(&operator, &product, "wednesday", 400_000).await.refuses(422, "invalid-request");
    assert_eq!(too_many.body["pointer"], "/units");
    assert_eq!(stack.units(&product).await, Units { available: 33, held: 2, sold: 0 });
}

#[tokio::test]
async fn a_report_has_the_figures_of_the_shards_and_their_orders() {
    let stack = Stack::running();
    let product = stack.sale("reported", json!({"units": 60, "max_per_shopper": 2})).await;
    let operator = stack.sign_in("ops@example.com").await;
    let (ann, bob) = (stack.shopper(1).await, stack.shopper(2).await);
    let order = ann.order(&product, "sandbox:ok").await;
    ann.order_becomes(&order, "completed").await;
    bob.reserve(&product).await.expect(201);

    let shown = report(&operator, &product).await.body;
    let units = stack.units(&product).await;
    assert_eq!(units, Units { available: 58, held: 1, sold: 1 });
    let figures = ["units", "available", "held", "sold"].map(|figure| shown[figure].as_u64().unwrap());
    assert_eq!(figures, [60, units.available, units.held, units.sold]);
    assert_eq!(shown["differences"], json!({"units": 0, "sold_unpaid": 0, "paid_unsold": 0}));
    assert_eq!((&shown["orders"]["by_status"], &shown["orders"]["complete"]), (&json!({"completed": 1}), &json!(true)));
    assert_eq!(shown["orders"]["holds_without_order"], 1);
    assert_eq!(shown["payments"]["completed"]["amount"], json!({"amount_minor": 99_900, "currency": "USD"}));
}

#[tokio::test]
async fn nobody_but_an_operator_operates_a_sale() {
    let stack = Stack::running();
    let product = stack.sale("operated", json!({})).await;
    let (operator, shopper) = (stack.sign_in("ops@example.com").await, stack.shopper(3).await);
    for action in ["pause", "resume", "close"] {
        operate(&stack.nobody(), &product, action).await.expect(401);
        operate(&shopper, &product, action).await.refuses(403, "forbidden");
        operate(&operator, "no-such-product", action).await.refuses(404, "unknown-product");
    }
    restock(&shopper, &product, "mine", 5).await.refuses(403, "forbidden");
    restock(&operator, "no-such-product", "mine", 5).await.refuses(404, "unknown-product");
    let path = format!("/admin/flash-sales/{product}/report");
    stack.nobody().get(&path).await.expect(401);
    shopper.get(&path).await.refuses(403, "forbidden");
    operator.get("/admin/flash-sales/no-such-product/report").await.refuses(404, "unknown-product");
    assert_eq!(stack.units(&product).await, Units { available: 5, held: 0, sold: 0 });
}
