//! `reserve` on events as API Gateway sends them: status, headers and body.

use insta::assert_snapshot;
use parts::FromParts;
use reserve::Reserve;
use serde_json::json;
use test_aws::Calls;
use test_shop::{Given, Judged, Shop};

/// A shop with the sales that the events name.
async fn shop() -> Shop {
    let shop = Shop::empty().await;
    shop.give(Given::Sale).await;
    shop
}

async fn respond(event: &str) -> kit::Response {
    let shop = shop().await;
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    function.handle(test_aws::event(&format!("reserve/{event}.json"))).await
}

async fn answer(event: &str) -> String {
    test_aws::told(&respond(event).await)
}

/// The status, the code and the lines that explain a refusal.
async fn problem(event: &str) -> String {
    let answer = test_aws::response(&respond(event).await);
    let wanted =
        |line: &&str| ["\"code\"", "\"detail\"", "\"pointer\"", "retry-after", "www-auth"].iter().any(|w| line.contains(w));
    let mut lines = vec![answer.lines().next().unwrap()];
    lines.extend(answer.lines().filter(wanted).map(str::trim));
    lines.join("\n")
}

#[tokio::test]
async fn units_are_reserved() {
    assert_snapshot!(answer("ok").await, @r#"
    201 Created
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    {"payment_options":[{"account":"sandbox","provider":"sandbox"}],"product_id":"demo","quantity":1,
     "reservation_expiry":"2026-11-01T12:06:00Z","reservation_id":"demo.01M6BFR0300000000000000001",
     "success":true}
    "#);
}

#[tokio::test]
async fn adding_to_a_cart_also_names_the_cart() {
    assert_snapshot!(answer("add-to-cart").await, @r#"
    201 Created
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    {"cart_id":"demo.01M6BFR0300000000000000001","payment_options":[{"account":"sandbox","provider":"sandbox"}],
     "product_id":"demo","quantity":1,"reservation_expiry":"2026-11-01T12:06:00Z",
     "reservation_id":"demo.01M6BFR0300000000000000001","success":true}
    "#);
}

#[tokio::test]
async fn the_same_again_answers_the_same_with_200() {
    let shop = shop().await;
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    let first = function.handle(test_aws::event("reserve/ok.json")).await;
    let again = function.handle(test_aws::event("reserve/ok.json")).await;
    assert_eq!((first.status(), again.status()), (201.try_into().unwrap(), 200.try_into().unwrap()));
    let body = |response: &kit::Response| -> Vec<u8> { response.body().as_ref().to_vec() };
    assert_eq!(body(&first), body(&again));
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_path_changes_nothing() {
    for (path, names_a_cart) in [("/add-to-cart", true), ("/add-to-cart/", true), ("/reserve-inventory/", false)] {
        let request = test_aws::request("POST", path).shopper("shopper-1").json(&json!({"product_id": "demo"}));
        let response = shop().await.wire::<Judged<Reserve>>(&Calls::new()).handle(request.build()).await;
        let answer = test_shop::body(&response);
        assert_eq!((response.status().as_u16(), answer["cart_id"].is_string()), (201, names_a_cart), "{path}");
    }
}

#[tokio::test]
async fn other_ways_to_ask_for_one_or_two_units() {
    for event in ["base64-body", "quantity-left-out", "two-units"] {
        let answer = answer(event).await;
        assert!(answer.starts_with("201"), "{event}: {answer}");
        assert_eq!(answer.contains("\"quantity\":2"), event == "two-units", "{event}: {answer}");
    }
}

#[tokio::test]
async fn a_sold_out_sale_says_what_is_held_and_until_when() {
    assert_snapshot!(answer("sold-out").await, @r#"
    409 Conflict: sold-out, Sold out
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    Not enough units are left. Held units may become available again. If an answer of yours was lost, GET /reservations?product_id= returns your reservation, if you have one.
    {"available_quantity":0,
     "holds":{"count":1,"half_end_at":"2026-11-01T13:01:04Z","next_ends_at":"2026-11-01T13:01:00Z"}}
    "#);
}

#[tokio::test]
async fn a_sale_that_has_not_started_says_when_it_does() {
    assert_snapshot!(answer("not-started").await, @r#"
    409 Conflict: sale-not-started, The sale has not started
    retry-after: 86400
    The sale starts at 2026-11-02T12:01:00Z.
    {"starts_at":"2026-11-02T12:01:00Z"}
    "#);
}

#[tokio::test]
async fn every_other_refusal_says_what_to_do() {
    assert_snapshot!(problem("ended").await, @r#"
    410 Gone
    "code": "sale-ended",
    "detail": "The sale is over.",
    "#);
    assert_snapshot!(problem("unknown-product").await, @r#"
    404 Not Found
    "code": "unknown-product",
    "detail": "There is no sale of this product.",
    "#);
    assert_snapshot!(problem("quantity-not-allowed").await, @r#"
    422 Unprocessable Entity
    "code": "quantity-not-allowed",
    "detail": "A shopper can have at most 2 of this product.",
    "#);
    assert_snapshot!(problem("quantity-zero").await, @r#"
    400 Bad Request
    "code": "malformed-request",
    "detail": "a quantity is a whole number from 1 to 10",
    "pointer": "/quantity",
    "#);
    assert_snapshot!(problem("wrong-type").await, @r#"
    400 Bad Request
    "code": "malformed-request",
    "detail": "expected a whole number, found a string",
    "pointer": "/quantity",
    "#);
    assert_snapshot!(problem("missing-product").await, @r#"
    400 Bad Request
    "code": "malformed-request",
    "detail": "the member `product_id` is missing",
    "pointer": "/product_id",
    "#);
    assert_snapshot!(problem("impossible-product-id").await, @r#"
    400 Bad Request
    "code": "malformed-request",
    "detail": "a product id is 1 to 64 characters of a-z, 0-9, '-' and '_'",
    "pointer": "/product_id",
    "#);
    assert_snapshot!(problem("broken-json").await, @r#"
    400 Bad Request
    "code": "malformed-request",
    "detail": "not JSON: line 1, column 35",
    "pointer": "/quantity",
    "#);
    assert_snapshot!(problem("no-body").await, @r#"
    400 Bad Request
    "code": "malformed-request",
    "detail": "a JSON body is expected",
    "pointer": "",
    "#);
    assert_snapshot!(problem("card-number").await, @r#"
    400 Bad Request
    "code": "card-data",
    "detail": "These digits look like a card number, and the request was not read any further. Never send card numbers here: let a payment provider make a token of the card, and send the token as payment_method.",
    "pointer": "/card/number",
    "#);
    assert_snapshot!(problem("not-json").await, @r#"
    415 Unsupported Media Type
    "code": "unsupported-media-type",
    "detail": "send Content-Type: application/json",
    "#);
    assert_snapshot!(problem("too-large").await, @r#"
    413 Payload Too Large
    "code": "body-too-large",
    "detail": "a body may have up to 16 KiB",
    "#);
    assert_snapshot!(problem("no-identity").await, @r#"
    401 Unauthorized
    www-authenticate: Bearer
    "code": "unauthenticated",
    "#);
    assert_snapshot!(problem("other-user-id").await, @r#"
    403 Forbidden
    "code": "forbidden",
    "detail": "user_id must be the caller's id",
    "#);
    assert_eq!(problem("header-identity").await, problem("no-identity").await);
}

#[tokio::test]
async fn the_header_stands_in_for_a_token_where_it_is_trusted() {
    let shop = shop().await;
    let mut parts = shop.parts_with(&Calls::new(), &[("TRUST_USER_ID_HEADER", "true")]);
    let function = Judged::<Reserve>::wire(&mut parts).unwrap();
    let response = function.handle(test_aws::event("reserve/header-identity.json")).await;
    assert_eq!(response.status(), 201);
}
