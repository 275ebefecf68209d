//! What can be corrected: an address before its order is paid, a sale that was made by mistake, a request for too many units at
//! once.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, Units, checkout, eventually};

/// The time in which streams, queues and `reconcile` bring a change about.
const SOON: Duration = Duration::from_mins(2);

#[tokio::test]
async fn an_order_without_an_address_gets_one_although_its_first_payment_was_declined() {
    let stack = Stack::running();
    let product = stack.sale("address", json!({})).await;
    let shopper = stack.new_shopper().await;
    let placed = shopper.post(&format!("/api/flash-sales/{product}/order"), &json!({})).await.expect(202);
    let order = placed.text("order_id").to_owned();
    let declined = json!({"order_id": order, "payment_method": "sandbox:declined", "amount": "999.00"});
    shopper.post("/payment", &declined).await.expect(202);
    eventually("a declined payment", SOON, async || {
        let read = shopper.get(&format!("/orders/{order}")).await.expect(200);
        (read.text("payment_status") == "failed").then_some(())
    })
    .await;

    shopper.check_out(&order, "sandbox:ok").await.expect(202);
    let completed = shopper.order_becomes(&order, "completed").await;
    let mut body = checkout(&order, "sandbox:ok");
    assert_eq!(completed.body["shipping_address"], body["shipping_address"]);
    body["shipping_address"]["city"] = json!("Shelbyville");
    shopper.post("/checkout", &body).await.refuses(409, "address-fixed");
    body["payment_method"] = json!("sandbox:no-such-method");
    let refused = shopper.post("/checkout", &body).await.refuses(422, "invalid-request");
    assert_eq!(refused.body["pointer"], "/payment_method");
}

#[tokio::test]
async fn a_closed_sale_gives_its_holds_back_and_its_product_is_free_again() {
    let stack = Stack::running();
    let product = stack.sale("mistaken", json!({})).await;
    let (operator, shopper) = (stack.sign_in("ops@example.com").await, stack.new_shopper().await);
    let path = format!("/admin/flash-sales/{product}");
    let operate = async |action: &str| operator.send(Method::POST, &format!("{path}/{action}"), &[], None).await;
    shopper.reserve(&product).await.expect(201);
    operate("end-holds").await.refuses(409, "sale-not-over");
    operate("close").await.expect(200);
    eventually("the end of all holds", SOON, async || {
        let ended = operate("end-holds").await.expect(200);
        let is_over = ended.body["more"] != json!(true);
        (is_over && stack.units(&product).await == Units { available: 5, held: 0, sold: 0 }).then_some(())
    })
    .await;
    eventually("the deletion of the sale", SOON, async || (operator.delete(&path).await.status == 204).then_some(())).await;
    eventually("a sale that is gone", SOON, async || {
        (shopper.get(&format!("/api/flash-sales/{product}")).await.status == 404).then_some(())
    })
    .await;
    let sale = json!({
        "name": "Again", "price": {"amount_minor": 100, "currency": "JPY"}, "units": 3,
        "starts_at": crate::stack::now(), "ends_at": crate::stack::now() + jiff::SignedDuration::from_hours(1),
    });
    operator.put(&path, &sale).await.expect(201);
    assert_eq!(stack.units(&product).await, Units { available: 3, held: 0, sold: 0 });
}

#[tokio::test]
async fn a_sale_with_a_purchase_is_not_deleted() {
    let stack = Stack::running();
    let product = stack.sale("kept", json!({})).await;
    let (operator, shopper) = (stack.sign_in("ops@example.com").await, stack.new_shopper().await);
    let order = shopper.order(&product, "sandbox:ok").await;
    shopper.order_becomes(&order, "completed").await;
    let path = format!("/admin/flash-sales/{product}");
    eventually("a refusal to delete the sale", SOON, async || {
        let answer = operator.delete(&path).await;
        (answer.status != 503).then(|| answer.refuses(409, "sale-in-use"))
    })
    .await;
    shopper.delete(&path).await.refuses(403, "forbidden");
    assert_eq!(stack.units(&product).await.sold, 1);
}

#[tokio::test]
async fn units_that_no_shard_has_together_are_offered_as_they_are() {
    let stack = Stack::running();
    let product = stack.sale("together", json!({"units": 8, "shards": 2, "max_per_shopper": 4})).await;
    let (ann, bob) = (stack.new_shopper().await, stack.new_shopper().await);
    let ask = |quantity: u64| json!({"product_id": product, "quantity": quantity});
    ann.post("/reserve-inventory", &ask(1)).await.expect(201);
    bob.post("/reserve-inventory", &ask(2)).await.expect(201);
    let carol = stack.new_shopper().await;
    let refused = eventually("an answer", SOON, async || {
        let answer = carol.post("/reserve-inventory", &ask(4)).await;
        (answer.status != 503).then_some(answer)
    })
    .await;
    // Ann and Bob may share a shard; then the other has four units together.
    if refused.status != 201 {
        let largest = refused.refuses(409, "not-together").body["largest_quantity"].as_u64().unwrap();
        carol.post("/reserve-inventory", &ask(largest)).await.expect(201);
    }
}

#[tokio::test]
async fn a_hidden_sale_is_unknown_to_shoppers_and_the_catalogue_has_pages() {
    let stack = Stack::running();
    let later = crate::stack::now() + jiff::SignedDuration::from_mins(30);
    let hidden = stack.sale("hidden", json!({"starts_at": later, "visible_from": later})).await;
    let shown = stack.sale("shown", json!({})).await;
    let nobody = stack.nobody();
    nobody.get(&format!("/api/flash-sales/{hidden}")).await.refuses(404, "unknown-product");
    stack.new_shopper().await.post("/reserve-inventory", &json!({"product_id": hidden})).await.refuses(404, "unknown-product");
    let mut found = Vec::new();
    let mut next = Some(String::new());
    while let Some(page) = next {
        let listed = nobody.get(&format!("/api/flash-sales?state=open{page}")).await.expect(200).body;
        found.extend(listed["sales"].as_array().unwrap().iter().map(|sale| sale["product_id"].clone()));
        next = listed["next"].as_str().map(|next| format!("&next={next}"));
    }
    let has = |product: &str| found.iter().any(|found: &Value| found == product);
    assert!(has(&shown) && !has(&hidden), "{found:?}");
    nobody.get("/api/flash-sales?state=soon").await.refuses(400, "malformed-request");
}

#[tokio::test]
async fn refunds_that_are_pending_are_listed_for_operators_only() {
    let stack = Stack::running();
    let path = "/admin/orders?status=refund_pending";
    stack.nobody().get(path).await.expect(401);
    stack.new_shopper().await.get(path).await.refuses(403, "forbidden");
    let operator = stack.sign_in("ops@example.com").await;
    assert!(operator.get(path).await.expect(200).body["orders"].is_array());
    operator.get("/admin/orders").await.refuses(400, "malformed-request");
}

#[tokio::test]
async fn a_shopper_who_gives_back_twice_has_to_cool_down() {
    let stack = Stack::running();
    let product = stack.sale("squatted", json!({})).await;
    let shopper = stack.new_shopper().await;
    let refused = eventually("a refusal of one who gives back again and again", SOON, async || {
        let answer = shopper.reserve(&product).await;
        if answer.status == 429 {
            return Some(answer);
        }
        if matches!(answer.status, 200 | 201) {
            let id = answer.text("reservation_id");
            shopper.delete(&format!("/reservations/{id}")).await.expect(204);
        }
        None
    })
    .await;
    assert!(refused.refuses(429, "cooling-down").retry_after.is_some_and(|seconds| (1..=3_600).contains(&seconds)));
}

#[tokio::test]
async fn odd_headers_and_a_slash_at_the_end_change_nothing() {
    let stack = Stack::running();
    let product = stack.sale("odd", json!({})).await;
    let shopper = stack.new_shopper().await;
    let body = json!({"product_id": product}).to_string();
    let headers = [("X-Forwarded-Proto", "%"), ("X-Odd", "\u{e9}"), ("Prefer", "wait=\"")];
    shopper.send(Method::POST, "/reserve-inventory", &headers, Some(body.clone())).await.expect(201);
    let again = shopper.send(Method::POST, "/add-to-cart/", &[], Some(body)).await.expect(200);
    assert_eq!(again.text("cart_id"), again.text("reservation_id"));
}
