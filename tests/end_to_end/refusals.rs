//! Every refusal, as a client sees it through API Gateway.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::stack::{Answer, Person, Stack, checkout};

async fn reserve(shopper: &Person, body: serde_json::Value) -> Answer {
    shopper.post("/reserve-inventory", &body).await
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let stack = Stack::running();
    let body = json!({"product_id": "demo"});
    reserve(&stack.nobody(), body.clone()).await.expect(401);
    reserve(&stack.with_token("nonsense"), body.clone()).await.expect(401);
    reserve(&stack.with_token(EXPIRED), body).await.expect(401);
    for path in ["/orders", "/orders/demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "/reservations/demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D"] {
        stack.nobody().get(path).await.expect(401);
    }
    stack.nobody().put("/admin/flash-sales/demo", &json!({})).await.expect(401);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_not_found() {
    let stack = Stack::running();
    let operator = stack.sign_in("ops@example.com").await;
    let routes = contract::routes();
    for path in routes.iter().map(|route| route.path).collect::<BTreeSet<_>>() {
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] {
            if !routes.iter().any(|route| (route.path, route.method.as_str()) == (path, method)) {
                let id = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D";
                let path = path.replace("{product_id}", "demo").replace("{order_id}", id).replace("{reservation_id}", id);
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                operator.send(method, &path, &[], None).await.refuses(404, "not-found");
            }
        }
    }
}

/// A token of a day in 2020, without a valid signature.
const EXPIRED: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJhbm4iLCJleHAiOjE1Nzc4MzY4MDAsInRva2VuX3VzZSI6ImlkIn0.c2lnbmF0dXJl";

#[tokio::test]
async fn what_a_request_may_not_be() {
    let stack = Stack::running();
    let product = stack.sale("malformed", json!({"max_per_shopper": 2})).await;
    let shopper = stack.shopper(1).await;
    let pointer = |answer: Answer, pointer: &str| {
        assert_eq!(answer.body["pointer"], pointer, "{answer:?}");
    };
    pointer(reserve(&shopper, json!({})).await.refuses(400, "malformed-request"), "/product_id");
    pointer(reserve(&shopper, json!({"product_id": 7})).await.refuses(400, "malformed-request"), "/product_id");
    pointer(reserve(&shopper, json!({"product_id": "NOT ONE"})).await.refuses(400, "malformed-request"), "/product_id");
    let with_card = json!({"product_id": product, "card": ["4242 4242 4242 4242"]});
    pointer(reserve(&shopper, with_card).await.refuses(400, "card-data"), "/card/0");
    let two = json!({"product_id": product, "quantity": "2"});
    pointer(reserve(&shopper, two).await.refuses(400, "malformed-request"), "/quantity");
    let zero = json!({"product_id": product, "quantity": 0});
    pointer(reserve(&shopper, zero).await.refuses(400, "malformed-request"), "/quantity");
    for quantity in [3, 11] {
        let refused = reserve(&shopper, json!({"product_id": product, "quantity": quantity})).await;
        assert_eq!(refused.refuses(422, "quantity-not-allowed").body["max_per_shopper"], 2);
    }
    reserve(&shopper, json!({"product_id": product, "user_id": "somebody-else"})).await.refuses(403, "forbidden");
    let send = async |headers: &[(&str, &str)], body: &str| {
        shopper.send(Method::POST, "/reserve-inventory", headers, Some(body.to_owned())).await
    };
    send(&[], "{\"product_id\": \"de").await.refuses(400, "malformed-request");
    send(&[], "[]").await.refuses(400, "malformed-request");
    send(&[("Content-Type", "text/plain")], "{}").await.refuses(415, "unsupported-media-type");
    let mebibyte = format!("{{\"product_id\": \"{product}\", \"note\": \"{}\"}}", "x".repeat(1024 * 1024));
    send(&[], &mebibyte).await.refuses(413, "body-too-large");
    shopper.get("/no/such/route").await.expect(404);
    assert_eq!(stack.units(&product).await.available, 5, "none of these cost a unit");
}

#[tokio::test]
async fn what_a_sale_may_refuse() {
    let stack = Stack::running();
    let (ann, bob) = (stack.shopper(1).await, stack.shopper(2).await);
    reserve(&ann, json!({"product_id": "no-such-product"})).await.refuses(404, "unknown-product");
    for path in ["/api/flash-sales/no-such-product", "/inventory/no-such-product"] {
        stack.nobody().get(path).await.refuses(404, "unknown-product");
    }
    let ending = crate::stack::now() + jiff::SignedDuration::from_secs(6);
    let over = stack.sale("over", json!({"ends_at": ending})).await;
    crate::stack::eventually("end of a sale", std::time::Duration::from_secs(30), async || {
        let answer = reserve(&ann, json!({"product_id": over})).await;
        (answer.status == 410).then(|| answer.refuses(410, "sale-ended"))
    })
    .await;

    let single = stack.sale("single", json!({"units": 1})).await;
    ann.reserve(&single).await.expect(201);
    let sold_out = bob.reserve(&single).await.refuses(409, "sold-out");
    assert_eq!((&sold_out.body["available_quantity"], &sold_out.body["holds"]["count"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let stack = Stack::running();
    let product = stack.sale("theirs", json!({})).await;
    let (ann, bob) = (stack.shopper(3).await, stack.shopper(4).await);
    let reserved = ann.reserve(&product).await.expect(201);
    let id = reserved.text("reservation_id");
    bob.get(&format!("/reservations/{id}")).await.refuses(404, "unknown-reservation");
    bob.check_out(id, "sandbox:ok").await.refuses(404, "unknown-reservation");
    // When a shopper cancels another shopper's reservation, nothing changes.
    bob.delete(&format!("/reservations/{id}")).await.expect(204);
    ann.get(&format!("/reservations/{id}")).await.expect(200);

    let order = ann.check_out(id, "sandbox:ok").await.expect(202).text("order_id").to_owned();
    bob.get(&format!("/orders/{order}")).await.refuses(404, "unknown-order");
    let pay = json!({"order_id": order, "payment_method": "sandbox:ok", "amount": "999.00"});
    bob.post("/payment", &pay).await.refuses(404, "unknown-order");
    bob.check_out(id, "sandbox:ok").await.refuses(404, "unknown-reservation");
    ann.order_becomes(&order, "completed").await;
}

#[tokio::test]
async fn what_a_checkout_and_a_payment_may_refuse() {
    let stack = Stack::running();
    let product = stack.sale("checkout", json!({})).await;
    let shopper = stack.shopper(5).await;
    let reserved = shopper.reserve(&product).await.expect(201);
    let id = reserved.text("reservation_id");
    shopper.check_out("demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "sandbox:ok").await.expect(410);
    shopper.check_out("nonsense", "sandbox:ok").await.refuses(404, "unknown-reservation");
    assert_eq!(shopper.check_out(id, "nonsense").await.refuses(422, "invalid-request").body["pointer"], "/payment_method");
    let mut body = checkout(id, "sandbox:ok");
    body["shipping_address"]["city"] = json!("");
    let refused = shopper.post("/checkout", &body).await.refuses(422, "invalid-request");
    assert_eq!(refused.body["pointer"], "/shipping_address/city");
    body.as_object_mut().unwrap().remove("shipping_address");
    shopper.post("/checkout", &body).await.refuses(400, "malformed-request");
    let unknown = json!({"order_id": id, "payment_method": "sandbox:ok", "amount": "999.00"});
    shopper.post("/payment", &unknown).await.refuses(404, "unknown-order");
    let not_money = json!({"order_id": id, "payment_method": "sandbox:ok", "amount": []});
    shopper.post("/payment", &not_money).await.refuses(400, "malformed-request");
    shopper.get("/orders/nonsense").await.refuses(404, "unknown-order");
    assert_eq!(stack.units(&product).await.held, 1, "the reservation stands");
}

#[tokio::test]
async fn what_an_operator_may_not_do() {
    let stack = Stack::running();
    let operator = stack.sign_in("ops@example.com").await;
    let started = stack.sale("started", json!({})).await;
    let now = crate::stack::now();
    let sale = json!({
        "name": "Phone", "price": {"amount_minor": 99_900, "currency": "USD"}, "units": 5,
        "starts_at": now, "ends_at": now + jiff::SignedDuration::from_hours(1),
    });
    let path = format!("/admin/flash-sales/{started}");
    operator.put(&path, &sale).await.refuses(409, "sale-started");
    stack.shopper(6).await.put(&path, &sale).await.refuses(403, "forbidden");
    for (member, value, pointer) in [
        ("units", json!(0), "/units"),
        ("units", json!(1_000_001), "/units"),
        ("hold_seconds", json!(4), "/hold_seconds"),
        ("max_per_shopper", json!(11), "/max_per_shopper"),
        ("ends_at", json!(now), "/ends_at"),
    ] {
        let mut bad = sale.clone();
        bad[member] = value;
        let refused = operator.put("/admin/flash-sales/never-made", &bad).await.refuses(422, "invalid-request");
        assert_eq!(refused.body["pointer"], pointer, "{refused:?}");
    }
    stack.nobody().get("/api/flash-sales/never-made").await.refuses(404, "unknown-product");
}
