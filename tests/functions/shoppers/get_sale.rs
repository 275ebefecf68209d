//! `GET /api/flash-sales/{product_id}` on sample events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use domain::{SaleDraft, SignedDuration};
use get_sale::GetSale;
use insta::assert_snapshot;
use kit::Response;
use serde_json::json;
use test_aws::{Calls, Fault, event};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft, tells_that_a_table_fails};

use super::{TRY_AGAIN, UNKNOWN_PRODUCT, a_second_later};

fn function(shop: &Shop, calls: &Calls) -> Judged<GetSale> {
    shop.wire(calls)
}

async fn ask(function: &Judged<GetSale>) -> Response {
    function.handle(event("get-sale/ok.json")).await
}

fn state(response: &Response) -> String {
    let body = test_shop::body(response);
    format!("{} with {} of {}", body["state"].as_str().unwrap(), body["available_quantity"], body["units"])
}

#[tokio::test]
async fn a_sale_is_shown_with_its_stock_and_its_holds_to_anybody() {
    let shop = Shop::empty().await;
    let described = SaleDraft {
        description: Some("The one that everybody wants.".to_owned()),
        image_url: Some("https://images.example.com/phone.jpg".to_owned()),
        ..draft()
    };
    shop.sale(&demo(), described).await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    assert_snapshot!(test_aws::told(&ask(&function(&shop, &Calls::new())).await), @r#"
    200 OK
    cache-control: public, max-age=1
    {"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":99,
     "description":"The one that everybody wants.","ends_at":"2026-11-02T12:00:00Z","hold_seconds":300,
     "holds":{"count":1,"half_end_at":"2026-11-01T12:05:00Z","next_ends_at":"2026-11-01T12:05:00Z"},
     "image_url":"https://images.example.com/phone.jpg","max_hold_seconds":600,"max_per_shopper":2,"name":"Phone",
     "price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","server_time":"2026-11-01T12:01:00Z",
     "starts_at":"2026-11-01T12:00:00Z","state":"open","units":100}
    "#);
}

#[tokio::test]
async fn the_end_of_a_hold_that_has_passed_is_not_announced() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    let end = Buyer::first().hold().expires_at;
    for (now, expected) in [(end - SignedDuration::from_millis(1), json!(test_shop::END)), (end, json!(null))] {
        shop.clock.set_to(now);
        let holds = &test_shop::body(&ask(&function(&shop, &Calls::new())).await)["holds"];
        assert_eq!((&holds["count"], &holds["next_ends_at"]), (&json!(1), &expected), "{now}");
    }
}

#[tokio::test]
async fn what_the_operator_left_out_is_left_out() {
    let shop = Shop::open().await;
    let shown = test_aws::response(&ask(&function(&shop, &Calls::new())).await);
    assert!(!shown.contains("description") && !shown.contains("image_url") && !shown.contains("null"), "{shown}");
    assert!(shown.contains("\"holds\": {\n    \"count\": 0\n  }"), "{shown}");
}

#[tokio::test]
async fn an_unknown_product_is_404() {
    let shop = Shop::open().await;
    assert_eq!(shop.told::<GetSale>("get-sale/unknown-product").await, UNKNOWN_PRODUCT);
}

#[tokio::test]
async fn what_can_be_no_product_is_404_without_asking() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    for id in ["NOT-A-PRODUCT", "", "a b", "a.b", "a#b", "%2e%2e", "\u{e9}", &"a".repeat(65)] {
        let request = test_aws::request("GET", "/api/flash-sales/x").path_parameter("product_id", id).build();
        assert_eq!(brief(&function.handle(request).await), "404 unknown-product", "{id}");
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn a_sale_is_in_the_state_that_its_times_its_stock_and_its_operator_give_it() {
    let shop = Shop::empty().await;
    let sale = SaleDraft { units: 1, starts_at: "2026-11-01T12:02:00Z".parse().unwrap(), ..draft() };
    shop.sale(&demo(), sale).await;
    let function = function(&shop, &Calls::new());
    assert_eq!(state(&ask(&function).await), "scheduled with 1 of 1");
    shop.clock.set("2026-11-01T12:02:00Z");
    assert_eq!(state(&ask(&function).await), "open with 1 of 1");
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    shop.clock.advance_seconds(1);
    assert_eq!(state(&ask(&function).await), "sold_out with 0 of 1");
    shop.set_status(&demo(), "PAUSED").await;
    shop.clock.advance_seconds(1);
    assert_eq!(state(&ask(&function).await), "paused with 0 of 1");
    shop.clock.set("2026-11-02T12:00:00Z");
    assert_eq!(state(&ask(&function).await), "ended with 0 of 1");
}

#[tokio::test]
async fn less_than_a_second_is_answered_from_memory_also_what_is_not_there() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    ask(&function).await;
    function.handle(event("get-sale/unknown-product.json")).await;
    assert_eq!((calls.count("GetItem"), calls.total()), (4, 4), "description and availability of each");
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    shop.clock.advance(SignedDuration::from_millis(999));
    for _ in 0..100 {
        assert_eq!(state(&ask(&function).await), "open with 100 of 100");
        assert_eq!(brief(&function.handle(event("get-sale/unknown-product.json")).await), "404 unknown-product");
    }
    assert_eq!(calls.total(), 4);
    shop.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(state(&ask(&function).await), "open with 99 of 100");
    assert_eq!(calls.total(), 6);
}

#[tokio::test]
async fn a_sale_that_is_made_is_found_a_second_later() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&ask(&function).await), "404 unknown-product");
    shop.sale(&demo(), draft()).await;
    shop.clock.advance_seconds(1);
    assert_eq!(brief(&ask(&function).await), "200");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500_and_neither_is_remembered() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    tells_that_a_table_fails(&calls, &["GetItem"], async || a_second_later(&shop, &function, "get-sale/ok").await).await;
}

#[tokio::test]
async fn a_503_says_when_to_come_back() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    calls.fail_always("GetItem", Fault::ServerError);
    assert_eq!(test_aws::told(&ask(&function(&shop, &calls)).await), TRY_AGAIN);
}
