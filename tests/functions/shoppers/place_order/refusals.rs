//! Every refusal of an order. A refused request holds nothing.

use domain::SaleDraft;
use insta::assert_snapshot;
use place_order::PlaceOrder;
use serde_json::{Value, json};
use test_aws::{Calls, event};
use test_shop::{Body, Buyer, Shop, Stage, brief, demo, draft, refuses_what_every_route_refuses};

use crate::shoppers::{
    NOT_OF_THE_SANDBOX,
    place_order::{body, function, order_of, request, shop},
};

#[tokio::test]
async fn what_every_route_refuses() {
    let good = test_aws::request("POST", "/api/flash-sales/demo/order").path_parameter("product_id", "demo");
    refuses_what_every_route_refuses::<PlaceOrder>(&Shop::open().await, &good, Body::Optional).await;
}

/// The body of a good request with one member changed.
fn changed(pointer: &str, value: Value) -> Value {
    let mut body = body();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn a_member_at_fault_is_pointed_at_and_nothing_is_held() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    for (pointer, value, expected) in [
        ("/quantity", json!("1"), "400 malformed-request"),
        ("/quantity", json!(1.5), "400 malformed-request"),
        ("/quantity", json!([1]), "400 malformed-request"),
        ("/quantity", json!(true), "400 malformed-request"),
        ("/quantity", json!(0), "400 malformed-request"),
        ("/quantity", json!(-1), "400 malformed-request"),
        ("/quantity", json!(9_223_372_036_854_775_808_u64), "400 malformed-request"),
        ("/payment_method", json!(7), "400 malformed-request"),
        ("/payment_method", json!("cash"), "422 invalid-request"),
        ("/payment_method", json!(""), "422 invalid-request"),
        ("/shipping_address", json!([]), "400 malformed-request"),
        ("/shipping_address/city", json!(null), "400 malformed-request"),
        ("/shipping_address/city", json!(""), "422 invalid-request"),
        ("/shipping_address/country", json!("\u{7}"), "422 invalid-request"),
    ] {
        let response = function.handle(request("demo").json(&changed(pointer, value.clone())).build()).await;
        assert_eq!(brief(&response), format!("{expected} {pointer}"), "{value}");
    }
    for method in NOT_OF_THE_SANDBOX {
        let response = function.handle(request("demo").json(&changed("/payment_method", json!(method))).build()).await;
        assert_eq!(brief(&response), "422 invalid-request /payment_method", "{method}");
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn an_address_is_checked_also_without_a_payment_method() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let body = json!({"shipping_address": changed("/shipping_address/city", json!(""))["shipping_address"]});
    let response = function(&shop, &calls).handle(request("demo").json(&body).build()).await;
    assert_eq!((brief(&response), calls.total()), ("422 invalid-request /shipping_address/city".to_owned(), 0));
}

#[tokio::test]
async fn more_than_the_sale_allows_is_422_however_much_it_is() {
    let shop = Shop::open().await;
    let before = shop.everything().await;
    for quantity in [3_u64, 10, 11, 4_294_967_297, 9_223_372_036_854_775_807] {
        let response = function(&shop, &Calls::new()).handle(request("demo").json(&json!({"quantity": quantity})).build()).await;
        assert_eq!(brief(&response), "422 quantity-not-allowed", "{quantity}");
    }
    assert_snapshot!(shop.told::<PlaceOrder>("place-order/quantity-not-allowed").await, @r#"
    422 Unprocessable Entity: quantity-not-allowed, Quantity not allowed
    A shopper can have at most 2 of this product.
    {"max_per_shopper":2}
    "#);
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_sale_that_does_not_sell_says_why() {
    let shop = Shop::empty().await;
    let (not_yet, over) = ("2026-11-01T12:01:19.5Z".parse().unwrap(), test_shop::NOW.parse().unwrap());
    shop.sale(&"not-started".parse().unwrap(), SaleDraft { starts_at: not_yet, ..draft() }).await;
    shop.sale(&"ended".parse().unwrap(), SaleDraft { ends_at: over, ..draft() }).await;
    for (product, status) in [("paused", "PAUSED"), ("closed", "CLOSED"), ("being-prepared", "PREPARING")] {
        let product = product.parse().unwrap();
        shop.sale(&product, draft()).await;
        shop.set_status(&product, status).await;
    }
    let before = shop.everything().await;
    let function = function(&shop, &Calls::new());
    for (product, expected, retry_after) in [
        ("not-started", "409 sale-not-started", Some("20")),
        ("being-prepared", "409 sale-in-preparation", Some("10")),
        ("paused", "409 sale-paused", None),
        ("closed", "410 sale-ended", None),
        ("ended", "410 sale-ended", None),
        ("no-such-product", "404 unknown-product", None),
        ("NOT-A-PRODUCT", "404 unknown-product", None),
        ("", "404 unknown-product", None),
    ] {
        let response = function.handle(request(product).json(&body()).build()).await;
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!((brief(&response).as_str(), header), (expected, retry_after), "{product}");
    }
    let response = function.handle(request("not-started").build()).await;
    assert_eq!(test_shop::body(&response)["starts_at"], "2026-11-01T12:01:19.5Z");
    assert_eq!((shop.everything().await, shop.queue.sent().len()), (before, 0));
}

#[tokio::test]
async fn a_sold_out_sale_says_what_is_held_and_costs_nothing_from_the_second_time_on() {
    let (shop, calls) = (shop().await, Calls::new());
    let before = shop.everything().await;
    let function = function(&shop, &calls);
    let response = function.handle(event("place-order/sold-out.json")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    409 Conflict: sold-out, Sold out
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    Not enough units are left. Held units may become available again. If an answer of yours was lost, GET /reservations?product_id= returns your reservation, if you have one.
    {"available_quantity":0,
     "holds":{"count":1,"half_end_at":"2026-11-01T12:05:00Z","next_ends_at":"2026-11-01T12:05:00Z"}}
    "#);
    calls.reset();
    for _ in 0..10 {
        assert_eq!(brief(&function.handle(event("place-order/sold-out.json")).await), "409 sold-out");
    }
    assert_eq!((calls.total(), shop.everything().await, shop.queue.sent().len()), (0, before, 0));
}

#[tokio::test]
async fn whoever_has_bought_cannot_order_again() {
    for stage in [Stage::Completed, Stage::RefundPending] {
        let shop = Shop::open().await;
        // The shard that this shopper claims from, so that the function finds the purchase at every stage.
        let home = draft().layout().home_of(&demo(), &Buyer::first().shopper);
        shop.bring(&Buyer { shard: home, ..Buyer::first() }, stage).await;
        let before = shop.everything().await;
        let response = shop.ask::<PlaceOrder>("place-order/ok").await;
        assert_eq!(brief(&response), "409 already-purchased", "{stage:?}");
        assert_eq!((shop.everything().await, shop.queue.sent().len()), (before, 0), "{stage:?}");
    }
}

#[tokio::test]
async fn whoever_holds_units_orders_those() {
    for stage in [Stage::Held, Stage::Waiting, Stage::Pending, Stage::WaitingAgain, Stage::PayingAgain] {
        let shop = Shop::open().await;
        let home = draft().layout().home_of(&demo(), &Buyer::first().shopper);
        let buyer = Buyer { shard: home, ..Buyer::first() };
        shop.bring(&buyer, stage).await;
        let response = shop.ask::<PlaceOrder>("place-order/ok").await;
        let status = if stage == Stage::WaitingAgain { "awaiting_payment" } else { "pending" };
        assert_eq!(
            (brief(&response).as_str(), &test_shop::body(&response)["order_status"]),
            ("202", &json!(status)),
            "{stage:?}"
        );
        assert_eq!(order_of(&shop, &response).await.id, buyer.id, "{stage:?}");
        assert_eq!(shop.units(&demo()).await, (99, 1, 0), "{stage:?}");
    }
}

#[tokio::test]
async fn whose_order_has_ended_orders_anew() {
    for stage in [Stage::Failed, Stage::Refunded, Stage::Expired] {
        let shop = Shop::open().await;
        shop.bring(&Buyer::first(), stage).await;
        let response = shop.ask::<PlaceOrder>("place-order/ok").await;
        assert_eq!((brief(&response), shop.units(&demo()).await), ("202".to_owned(), (99, 1, 0)), "{stage:?}");
        assert_ne!(order_of(&shop, &response).await.id, Buyer::first().id, "{stage:?}");
    }
}
