//! Every way to buy a unit, and the same calls again.

use reqwest::Method;
use serde_json::json;

use crate::stack::{Books, Stack, Units};

#[tokio::test]
async fn one_is_reserved_checked_out_and_completed_and_the_same_again_changes_nothing() {
    let stack = Stack::running();
    let product = stack.sale("buy-one", json!({})).await;
    let shopper = stack.shopper(1).await;

    let reserved = shopper.reserve(&product).await.expect(201);
    let (policy, left) = reserved.rate_limit.clone().unwrap();
    assert_eq!(policy, r#""shopper";q=100;w=1"#, "the rate of a stage that is not prod");
    assert!(left.starts_with(r#""shopper";r="#) && !left.contains("r=0;"), "{left}");
    let again = shopper.reserve(&product).await.expect(200);
    assert_eq!(reserved.body, again.body, "the same answer");
    assert_eq!(stack.units(&product).await, Units { available: 4, held: 1, sold: 0 });
    let id = reserved.text("reservation_id");
    shopper.get(&format!("/reservations/{id}")).await.expect(200);
    assert_eq!(shopper.get(&format!("/reservations?product_id={product}")).await.expect(200).text("reservation_id"), id);

    let ordered = shopper.check_out(id, "sandbox:ok").await.expect(202);
    assert_eq!((ordered.text("payment_status"), ordered.text("inventory_status")), ("pending", "confirmed"));
    let order = ordered.text("order_id");
    assert_eq!(shopper.follow(&ordered).await.expect(200).text("order_id"), order);
    let completed = shopper.order_becomes(order, "completed").await;
    assert_eq!(completed.text("payment_status"), "completed");
    assert_eq!(completed.body["price"], json!({"amount_minor": 99_900, "currency": "USD"}));
    assert!(!completed.text("transaction_id").is_empty());

    let again = shopper.check_out(id, "sandbox:ok").await.expect(200);
    assert_eq!((again.text("order_id"), again.text("order_status")), (order, "completed"));
    shopper.post("/reserve-inventory", &json!({"product_id": product})).await.refuses(409, "already-purchased");
    shopper.delete(&format!("/reservations/{id}")).await.refuses(409, "already-purchased");
    let pay = json!({"order_id": order, "payment_method": "sandbox:ok", "amount": "999.00"});
    shopper.post("/payment", &pay).await.refuses(409, "already-paid");

    assert_eq!(stack.units(&product).await, Units { available: 4, held: 0, sold: 1 });
    assert_eq!(stack.books(order).await, Books { charges: 1, refunds: 0 });
    let mine = shopper.get("/orders").await.expect(200);
    assert_eq!(mine.body["orders"][0]["order_id"], order, "newest first");
}

#[tokio::test]
async fn an_order_in_one_call_waits_for_its_payment() {
    let stack = Stack::running();
    let product = stack.sale("one-call", json!({"max_per_shopper": 2})).await;
    let shopper = stack.shopper(2).await;
    let path = format!("/api/flash-sales/{product}/order");
    let placed = shopper.post(&path, &json!({"quantity": 2})).await.expect(202);
    assert_eq!(placed.text("order_status"), "awaiting_payment");
    assert!(!placed.text("pay_by").is_empty());
    let order = placed.text("order_id");

    let wrong = json!({"order_id": order, "payment_method": "sandbox:ok", "amount": 999.00});
    shopper.post("/payment", &wrong).await.refuses(422, "amount-mismatch");
    let pay = json!({"order_id": order, "payment_method": "sandbox:ok", "amount": 1998.00}).to_string();
    let paid = shopper.send(Method::POST, "/payment", &[("Prefer", "wait=10")], Some(pay)).await;
    // The saga may take longer than the client waits.
    assert!(matches!(paid.status, 200 | 202), "{paid:?}");
    let completed = shopper.order_becomes(order, "completed").await;
    if paid.status == 200 {
        assert_eq!(paid.text("transaction_id"), completed.text("transaction_id"));
    }
    assert_eq!(stack.units(&product).await, Units { available: 3, held: 0, sold: 2 });
}

#[tokio::test]
async fn an_order_in_one_call_with_a_payment_method_is_paid() {
    let stack = Stack::running();
    let product = stack.sale("one-call-paid", json!({})).await;
    let shopper = stack.shopper(3).await;
    let path = format!("/api/flash-sales/{product}/order");
    let placed = shopper.post(&path, &json!({"payment_method": "sandbox:ok"})).await.expect(202);
    assert_eq!(shopper.follow(&placed).await.expect(200).text("order_id"), placed.text("order_id"));
    shopper.order_becomes(placed.text("order_id"), "completed").await;
    assert_eq!(stack.units(&product).await.sold, 1);
}

#[tokio::test]
async fn readers_see_the_sale_and_its_stock() {
    let stack = Stack::running();
    let product = stack.sale("readers", json!({"units": 7, "description": "Seven of them"})).await;
    let nobody = stack.nobody();
    nobody.get("/health").await.expect(200);
    nobody.get("/health?deep=true").await.expect(403);
    nobody.get("/admin/health").await.expect(401);
    let sale = nobody.get(&format!("/api/flash-sales/{product}")).await.expect(200);
    assert_eq!((sale.text("state"), &sale.body["units"], &sale.body["available_quantity"]), ("open", &json!(7), &json!(7)));
    assert_eq!(sale.body["admission"], json!({"mode": "fcfs"}));
    let listed = nobody.get("/api/flash-sales").await.expect(200);
    assert!(listed.body["sales"].as_array().unwrap().iter().any(|sale| sale["product_id"] == product.as_str()), "{listed:?}");

    let cart = stack.shopper(4).await.post("/add-to-cart", &json!({"product_id": product, "quantity": 1})).await.expect(201);
    assert_eq!(cart.text("cart_id"), cart.text("reservation_id"));
    crate::stack::eventually("live stock", std::time::Duration::from_secs(30), async || {
        let stock = nobody.get(&format!("/inventory/{product}")).await.expect(200);
        (stock.body["available_quantity"] == 6).then_some(())
    })
    .await;
    let sale = nobody.get(&format!("/api/flash-sales/{product}")).await.expect(200);
    assert_eq!(sale.body["holds"]["count"], 1);
}

#[tokio::test]
async fn an_operator_changes_a_sale_until_it_starts() {
    let stack = Stack::running();
    let later = crate::stack::now() + jiff::SignedDuration::from_mins(10);
    let product = stack.sale("operator", json!({"starts_at": later, "units": 100})).await;
    let operator = stack.sign_in("ops@example.com").await;
    let path = format!("/admin/flash-sales/{product}");
    let sale = json!({
        "name": "Changed", "price": {"amount_minor": 100, "currency": "JPY"}, "units": 40,
        "starts_at": later, "ends_at": later + jiff::SignedDuration::from_hours(1),
    });
    let changed = operator.put(&path, &sale).await.expect(200);
    assert_eq!((changed.text("name"), changed.text("state"), &changed.body["units"]), ("Changed", "scheduled", &json!(40)));
    assert_eq!(operator.put(&path, &sale).await.expect(200).body["price"], changed.body["price"], "the same again");
    assert_eq!(stack.units(&product).await, Units { available: 40, held: 0, sold: 0 });
    let shopper = stack.shopper(5).await;
    let refused = shopper.post("/reserve-inventory", &json!({"product_id": product})).await.refuses(409, "sale-not-started");
    assert!(refused.retry_after.is_some_and(|seconds| (500..=600).contains(&seconds)), "{refused:?}");
    shopper.put(&path, &sale).await.refuses(403, "forbidden");
}
