//! `GET /orders/{order_id}` and `GET /orders` on sample events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

mod list;

use get_order::GetOrder;
use insta::assert_snapshot;
use kit::Response;
use test_aws::{Calls, Fault, event};
use test_shop::{Buyer, Judged, Shop, Stage, brief, tells_that_a_table_fails};

use super::UNKNOWN_ORDER;

fn function(shop: &Shop, calls: &Calls) -> Judged<GetOrder> {
    shop.wire(calls)
}

/// The three statuses as a shopper sees them.
fn statuses(response: &Response) -> String {
    let body = test_shop::body(response);
    ["order_status", "payment_status", "inventory_status"].map(|name| body[name].as_str().unwrap_or("?").to_owned()).join(" ")
}

#[tokio::test]
async fn its_owner_sees_an_order_with_its_history_for_one_read() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    assert_snapshot!(shop.told_with::<GetOrder>(&calls, "get-order/ok").await, @r#"
    200 OK
    {"created_at":"2026-11-01T12:00:00Z",
     "history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"completed"}],
     "inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"completed",
     "payment_status":"completed","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo",
     "quantity":1,
     "shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},
     "transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","updated_at":"2026-11-01T12:01:00Z"}
    "#);
    assert_eq!((calls.count("GetItem"), calls.total()), (1, 1));
}

#[tokio::test]
async fn an_order_whose_payment_was_declined_says_why_and_until_when_it_can_be_paid() {
    let shop = Shop::with(Stage::WaitingAgain).await;
    assert_snapshot!(shop.told::<GetOrder>("get-order/ok").await, @r#"
    200 OK
    {"created_at":"2026-11-01T12:00:00Z",
     "history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"payment_failed","reason":"The card was declined."}],
     "inventory_status":"held","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"awaiting_payment",
     "pay_by":"2026-11-01T12:05:00Z","payment_options":[{"account":"sandbox","provider":"sandbox"}],
     "payment_status":"failed","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","quantity":1,
     "shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},
     "updated_at":"2026-11-01T12:01:00Z"}
    "#);
}

#[tokio::test]
async fn somebody_elses_order_is_404_like_one_that_is_not_there() {
    let shop = Shop::with(Stage::Completed).await;
    let function = function(&shop, &Calls::new());
    let elses = function.handle(event("get-order/somebody-elses.json")).await;
    assert_eq!(test_aws::told(&elses), UNKNOWN_ORDER);
    let unknown = function.handle(event("get-order/unknown-order.json")).await;
    let without_instance = |response: &Response| {
        let mut body = test_shop::body(response);
        body.as_object_mut().unwrap().remove("instance");
        body
    };
    assert_eq!(without_instance(&unknown), without_instance(&elses));
}

#[tokio::test]
async fn every_stage_of_an_order_shows() {
    let shown = test_shop::by_stage(async |shop, stage| {
        let response = shop.ask::<GetOrder>("get-order/ok").await;
        let (body, shown) = (test_shop::body(&response), statuses(&response));
        assert_eq!(body["pay_by"].is_string(), shown.starts_with("awaiting"), "{stage:?}");
        assert_eq!(body["transaction_id"].is_string(), stage == Stage::Completed, "{stage:?}");
        if brief(&response) == "200" { shown } else { brief(&response) }
    });
    assert_snapshot!(shown.await, @"
    404 unknown-order: Claimed, Held
    awaiting_payment failed held: WaitingAgain
    awaiting_payment none held: Waiting
    completed completed confirmed: Completed
    expired none released: Expired
    failed failed released: Failed
    failed refund_pending confirmed: RefundPending, GivenBackLater
    pending authorised confirmed: Authorised, Uncaptured
    pending pending confirmed: Pending, Unavailable, Declined, Charged, Sold, Mischarged, PayingAgain, GivenBack, Refunding
    refunded refunded released: Refunded
    ");
}

#[tokio::test]
async fn an_order_that_nobody_paid_in_time_has_expired_before_anybody_writes_it_down() {
    for (stage, payment) in [(Stage::Waiting, "none"), (Stage::WaitingAgain, "failed")] {
        let shop = Shop::with(stage).await;
        let function = function(&shop, &Calls::new());
        shop.clock.set("2026-11-01T12:04:59.999Z");
        let waiting = statuses(&function.handle(event("get-order/ok.json")).await);
        assert_eq!(waiting, format!("awaiting_payment {payment} held"));
        shop.clock.set(test_shop::END);
        let response = function.handle(event("get-order/ok.json")).await;
        assert_eq!(statuses(&response), format!("expired {payment} released"));
        assert!(test_shop::body(&response)["pay_by"].is_null());
        assert!(shop.uncounted().orders().expire(&Buyer::first().id, None, shop.now()).await.unwrap());
        let written_down = function.handle(event("get-order/ok.json")).await;
        assert_eq!(statuses(&written_down), format!("expired {payment} released"), "and so it stays");
    }
}

#[tokio::test]
async fn an_order_that_is_being_paid_does_not_expire() {
    let shop = Shop::with(Stage::Pending).await;
    shop.clock.set("2026-11-02T12:00:00Z");
    let response = shop.ask::<GetOrder>("get-order/ok").await;
    assert_eq!(statuses(&response), "pending pending confirmed");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    let function = function(&shop, &calls);
    for (case, operation) in [("get-order/ok.json", "GetItem"), ("get-order/list.json", "Query")] {
        let ask = async || function.handle(event(case)).await;
        tells_that_a_table_fails(&calls, &[operation], ask).await;
        calls.fail_next(operation, Fault::LostAnswer);
        assert_eq!(brief(&ask().await), "200", "{case}");
    }
}

/// Neither the answer nor the work tells a stranger whether there is such an order.
#[tokio::test]
async fn another_shoppers_order_is_unknown_as_one_that_is_not_there_and_costs_the_same_read() {
    let shop = Shop::with(Stage::Completed).await;
    for id in [Buyer::first().id, Buyer::second().id] {
        let calls = Calls::new();
        let ask =
            test_aws::request("GET", "/orders/{order_id}").path_parameter("order_id", &id.to_string()).shopper("a-stranger");
        assert_eq!(test_aws::told(&function(&shop, &calls).handle(ask.build()).await), UNKNOWN_ORDER, "{id}");
        assert_eq!((calls.count("GetItem"), calls.total()), (1, 1), "{id}");
    }
}
