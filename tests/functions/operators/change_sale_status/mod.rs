//! `POST /admin/flash-sales/{product_id}/pause`, `…/resume`, `…/close` on sample events.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod faults;
mod others;

use change_sale_status::ChangeSaleStatus;
use domain::{ProductId, SaleDraft};
use insta::assert_snapshot;
use kit::Request;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft};

fn function(shop: &Shop, calls: &Calls) -> Judged<ChangeSaleStatus> {
    shop.wire(calls)
}

fn of(product: &ProductId, action: &str) -> RequestBuilder {
    let path = format!("/admin/flash-sales/{product}/{action}");
    test_aws::request("POST", &path).path_parameter("product_id", product.as_str())
}

/// An operator's request about the demo sale.
fn to(action: &str) -> Request {
    of(&demo(), action).shopper("operator-1").group("ops").build()
}

/// The demo sale, and one that is over.
pub(super) async fn shop() -> Shop {
    let shop = Shop::open().await;
    let ends_at = shop.now();
    shop.sale(&"ended".parse().unwrap(), SaleDraft { ends_at, ..draft() }).await;
    shop
}

/// Sends the request. Returns the status code and the state of the sale in the answer.
async fn state_after(shop: &Shop, action: &str) -> String {
    let response = function(shop, &Calls::new()).handle(to(action)).await;
    let body = test_shop::body(&response);
    format!("{} {}", brief(&response), body["state"].as_str().unwrap_or_default()).trim_end().to_owned()
}

#[tokio::test]
async fn a_pause_is_one_write_and_the_answer_shows_the_sale() {
    let (shop, calls) = (shop().await, Calls::new());
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    let units = shop.units(&demo()).await;
    assert_snapshot!(shop.told_with::<ChangeSaleStatus>(&calls, "change-sale-status/ok").await, @r#"
    200 OK
    {"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":99,
     "ends_at":"2026-11-02T12:00:00Z","hold_seconds":300,
     "holds":{"count":1,"half_end_at":"2026-11-01T12:05:00Z","next_ends_at":"2026-11-01T12:05:00Z"},
     "max_hold_seconds":600,"max_per_shopper":2,"name":"Phone","price":{"amount_minor":99900,"currency":"USD"},
     "product_id":"demo","server_time":"2026-11-01T12:01:00Z","starts_at":"2026-11-01T12:00:00Z","state":"paused",
     "units":100}
    "#);
    assert_eq!((calls.count("GetItem"), calls.count("PutItem"), calls.total()), (2, 1, 3));
    assert_eq!(shop.units(&demo()).await, units, "what is held stays held");
}

#[tokio::test]
async fn a_sale_goes_the_ways_that_its_operator_says_and_the_same_again_changes_nothing() {
    let shop = Shop::open().await;
    for (action, state) in [
        ("resume", "200 open"),
        ("pause", "200 paused"),
        ("resume", "200 open"),
        ("pause", "200 paused"),
        ("close", "200 ended"),
        ("resume", "409 sale-ended"),
        ("pause", "409 sale-ended"),
    ] {
        assert_eq!(state_after(&shop, action).await, state, "{action}");
        let before = shop.everything().await;
        for again in [action.to_owned(), format!("{action}/")] {
            assert_eq!(state_after(&shop, &again).await, state, "{again}");
            assert_eq!(shop.everything().await, before, "{again}");
        }
    }
}

#[tokio::test]
async fn the_same_again_is_two_reads() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    function.handle(to("pause")).await;
    calls.reset();
    assert_eq!(brief(&function.handle(to("pause")).await), "200");
    assert_eq!((calls.count("GetItem"), calls.total()), (2, 2));
}

#[tokio::test]
async fn a_sale_can_be_paused_before_it_starts_and_not_after_it_is_over() {
    let shop = Shop::open().await;
    shop.clock.set("2026-11-01T11:00:00Z");
    assert_eq!(state_after(&shop, "pause").await, "200 paused");
    assert_eq!(state_after(&shop, "resume").await, "200 scheduled");
    shop.clock.set("2026-11-02T12:00:00Z");
    assert_eq!(state_after(&shop, "pause").await, "409 sale-ended");
    assert_eq!(state_after(&shop, "close").await, "200 ended");
}

#[tokio::test]
async fn a_sale_that_is_over_says_so() {
    let shop = Shop::open().await;
    state_after(&shop, "close").await;
    let response = function(&shop, &Calls::new()).handle(to("resume")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    409 Conflict: sale-ended, The sale has ended
    The sale is over for good.
    ");
}

#[tokio::test]
async fn a_sale_in_preparation_can_be_closed_and_is_otherwise_left_to_its_maker() {
    let shop = Shop::open().await;
    shop.set_status(&demo(), "PREPARING").await;
    let before = shop.everything().await;
    for action in ["pause", "resume"] {
        assert_eq!(state_after(&shop, action).await, "409 sale-in-preparation", "{action}");
    }
    let response = function(&shop, &Calls::new()).handle(to("pause")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    409 Conflict: sale-in-preparation, The sale is being prepared
    retry-after: 10
    An operator is creating or changing the sale. If the PUT was interrupted, repeat it.
    ");
    assert_eq!(shop.everything().await, before);
    for _ in 0..2 {
        assert_eq!(state_after(&shop, "close").await, "200 ended");
    }
    assert_eq!(state_after(&shop, "resume").await, "409 sale-ended");
    let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
    assert_eq!((sale.closed_at, sale.is_prepared()), (Some(shop.now()), false));
}

#[tokio::test]
async fn nobody_but_an_operator_changes_a_sale_and_asking_costs_nothing() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    for action in ["pause", "resume", "close"] {
        for (request, expected) in [
            (of(&demo(), action), "401 unauthenticated"),
            (of(&demo(), action).header("x-user-id", "operator-1"), "401 unauthenticated"),
            (of(&demo(), action).shopper("shopper-1"), "403 forbidden"),
            (of(&demo(), action).shopper("shopper-1").group("opsies"), "403 forbidden"),
        ] {
            assert_eq!(brief(&function.handle(request.build()).await), expected);
        }
    }
    let elsewhere = of(&demo(), "explode").shopper("operator-1").group("ops").build();
    assert_eq!(brief(&function.handle(elsewhere).await), "404 not-found");
    assert_eq!(calls.total(), 0);
}
