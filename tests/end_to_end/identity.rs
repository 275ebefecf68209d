//! Who calls: the authorizer in front of every route, its answer kept by API Gateway, and two user pools.

use reqwest::Method;
use serde_json::json;

use crate::stack::{PASSWORD, Stack, unique};

/// Requests with one token. Other tests sign people in at the same time, each of whom costs the authorizer one invocation.
const REQUESTS: usize = 800;

#[tokio::test]
async fn a_token_is_verified_once_and_its_answer_serves_every_route() {
    let stack = Stack::running();
    let product = stack.sale("kept", json!({})).await;
    let shopper = stack.new_shopper().await;
    let id = shopper.reserve(&product).await.expect(201).text("reservation_id").to_owned();
    let before = stack.invocations("authorize").await;
    assert!(before > 0, "the authorizer leaves no trace to count");
    for _ in 0..REQUESTS / 4 {
        shopper.get("/orders").await.expect(200);
        shopper.get(&format!("/reservations/{id}")).await.expect(200);
        shopper.get(&format!("/reservations?product_id={product}")).await.expect(200);
        shopper.get(&format!("/orders/{id}")).await.refuses(404, "unknown-order");
    }
    let invocations = stack.invocations("authorize").await - before;
    assert!(invocations < REQUESTS / 2, "{invocations} invocations for {REQUESTS} requests with one token");
}

#[tokio::test]
async fn an_access_token_is_as_good_as_an_id_token() {
    let stack = Stack::running();
    let product = stack.sale("access", json!({})).await;
    let tokens = stack.tokens("shopper-3@example.com").await;
    let [by_id, by_access] = ["IdToken", "AccessToken"].map(|kind| stack.with_token(tokens[kind].as_str().unwrap()));
    let reserved = by_access.reserve(&product).await.expect(201);
    let again = by_id.get(&format!("/reservations/{}", reserved.text("reservation_id"))).await.expect(200);
    assert_eq!(again.text("product_id"), product);
    stack.with_token(tokens["RefreshToken"].as_str().unwrap()).get("/orders").await.refuses(401, "unauthenticated");
}

#[tokio::test]
async fn an_operator_is_no_shopper_and_no_shopper_an_operator() {
    let stack = Stack::running();
    let (operator, shopper) = (stack.sign_in("ops@example.com").await, stack.shopper(4).await);
    operator.get("/orders").await.refuses(403, "forbidden");
    operator.post("/reserve-inventory", &json!({"product_id": "demo"})).await.refuses(403, "forbidden");
    operator.get("/admin/health").await.expect(200);
    shopper.get("/orders").await.expect(200);
    shopper.get("/admin/health").await.refuses(403, "forbidden");
}

#[tokio::test]
async fn a_group_of_the_shoppers_pool_makes_no_operator() {
    let stack = Stack::running();
    let email = format!("{}@example.com", unique("climber"));
    stack.sign_up_into_group(&email, "ops").await;
    let tokens = stack.tokens(&email).await;
    for kind in ["IdToken", "AccessToken"] {
        let climber = stack.with_token(tokens[kind].as_str().unwrap());
        climber.get("/orders").await.expect(200);
        climber.get("/admin/health").await.refuses(403, "forbidden");
        climber.get("/admin/orders?status=refund_pending").await.refuses(403, "forbidden");
    }
}

#[tokio::test]
async fn what_is_no_token_of_the_shop_is_refused_in_the_words_of_the_contract() {
    let stack = Stack::running();
    let tokens = stack.tokens("shopper-5@example.com").await;
    let good = tokens["IdToken"].as_str().unwrap();
    let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0"; // {"alg":"none"}
    let shortened = &signature[..signature.len() - 4];
    for token in [
        format!("{header}.{claims}.{shortened}AAAA"),
        format!("{header}.{claims}.{shortened}"),
        format!("{unsigned}.{claims}.{signature}"),
        format!("{unsigned}.{claims}."),
        format!("{header}.{header}.{signature}"),
        format!("{header}.{claims}"),
        "nonsense".to_owned(),
        PASSWORD.to_owned(),
    ] {
        stack.with_token(&token).get("/orders").await.refuses(401, "unauthenticated");
    }
    stack.with_token(good).get("/orders").await.expect(200);
}

#[tokio::test]
async fn a_header_stands_in_for_no_token() {
    let stack = Stack::running();
    let headers = [("X-User-ID", "shopper-1"), ("X-User-Groups", "ops")];
    for path in ["/orders", "/admin/health"] {
        stack.nobody().send(Method::GET, path, &headers, None).await.refuses(401, "unauthenticated");
    }
}
