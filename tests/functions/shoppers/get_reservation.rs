//! `GET /reservations/{reservation_id}` and `GET /reservations?product_id=` on sample events.

use get_reservation::GetReservation;
use insta::assert_snapshot;
use test_aws::{Calls, Fault, RequestBuilder, event};
use test_shop::{Buyer, Judged, Shop, Stage, brief, tells_that_a_table_fails};

use super::UNKNOWN_RESERVATION;

fn function(shop: &Shop, calls: &Calls) -> Judged<GetReservation> {
    shop.wire(calls)
}

fn of_first(path: &str) -> RequestBuilder {
    test_aws::request("GET", path).shopper(Buyer::first().shopper.as_str())
}

#[tokio::test]
async fn its_owner_sees_a_reservation_for_one_read() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    assert_snapshot!(shop.told_with::<GetReservation>(&calls, "get-reservation/ok").await, @r#"
    200 OK
    {"created_at":"2026-11-01T12:00:00Z","payment_options":[{"account":"sandbox","provider":"sandbox"}],
     "product_id":"demo","quantity":1,"reservation_expiry":"2026-11-01T12:05:00Z",
     "reservation_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","status":"held"}
    "#);
    assert_eq!((calls.count("GetItem"), calls.total()), (1, 1));
}

#[tokio::test]
async fn whoever_asks_for_somebody_elses_is_told_that_there_is_none() {
    let shop = Shop::with(Stage::Held).await;
    assert_eq!(shop.told::<GetReservation>("get-reservation/somebody-elses").await, UNKNOWN_RESERVATION);
}

#[tokio::test]
async fn nobody_who_has_not_signed_in_is_answered() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    assert_snapshot!(shop.told_with::<GetReservation>(&calls, "get-reservation/no-identity").await, @r"
    401 Unauthorized: unauthenticated, Sign in first
    www-authenticate: Bearer
    ");
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn a_reservation_is_shown_until_it_is_over() {
    let shown = test_shop::by_stage(async |shop, _| {
        let response = shop.ask::<GetReservation>("get-reservation/ok").await;
        test_shop::body(&response)["status"].as_str().map_or_else(|| brief(&response), str::to_owned)
    });
    assert_snapshot!(shown.await, @r"
    404 unknown-reservation: Claimed, Failed, Refunded, Expired
    held: Held, Waiting, WaitingAgain
    paying: Pending, Unavailable, Declined, Authorised, Uncaptured, Charged, Sold, Mischarged, PayingAgain, GivenBack, Refunding, RefundPending, GivenBackLater
    purchased: Completed
    ");
}

#[tokio::test]
async fn a_hold_is_over_at_its_end_to_the_second_and_one_that_is_being_paid_is_not() {
    for (stage, expected) in [(Stage::Held, "404 unknown-reservation"), (Stage::Pending, "200"), (Stage::Completed, "200")] {
        let shop = Shop::with(stage).await;
        let function = function(&shop, &Calls::new());
        shop.clock.set("2026-11-01T12:04:59.999Z");
        assert_eq!(brief(&function.handle(event("get-reservation/ok.json")).await), "200", "{stage:?}");
        shop.clock.set(test_shop::END);
        assert_eq!(brief(&function.handle(event("get-reservation/ok.json")).await), expected, "{stage:?}");
    }
}

#[tokio::test]
async fn another_id_than_the_reservations_finds_nothing() {
    let shop = Shop::with(Stage::Held).await;
    let function = function(&shop, &Calls::new());
    for id in [
        "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3E",
        "demo.01jd3v3z5t8q6w7x9y0a1b2c3d",
        "other.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
        "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D.1",
        "01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
        "demo.",
        "",
    ] {
        let request = of_first("/reservations/x").path_parameter("reservation_id", id).build();
        assert_eq!(brief(&function.handle(request).await), "404 unknown-reservation", "{id}");
    }
}

#[tokio::test]
async fn a_client_that_lost_an_answer_finds_its_reservation_by_the_product() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    let by_product = function.handle(of_first("/reservations").query("product_id", "demo").build()).await;
    let by_id = function.handle(event("get-reservation/ok.json")).await;
    assert_eq!((by_product.status(), test_shop::body(&by_product)), (by_id.status(), test_shop::body(&by_id)));
    assert_eq!(calls.total(), 2);
    for (request, expected) in [
        (of_first("/reservations").query("product_id", "other"), "404 unknown-reservation"),
        (of_first("/reservations").query("product_id", "NOT-A-PRODUCT"), "400 malformed-request"),
        (of_first("/reservations"), "400 malformed-request"),
        (test_aws::request("GET", "/reservations").shopper("shopper-2").query("product_id", "demo"), "404 unknown-reservation"),
        (test_aws::request("GET", "/reservations").query("product_id", "demo"), "401 unauthenticated"),
    ] {
        assert_eq!(brief(&function.handle(request.build()).await), expected);
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    let ask = async || function.handle(event("get-reservation/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem"], ask).await;
    for fault in Fault::ALL {
        calls.fail_next("GetItem", fault);
        let once = if fault == Fault::Denied { "500 internal-error" } else { "200" };
        assert_eq!(brief(&ask().await), once, "{fault:?} once");
    }
}
