//! Every other refusal of a payment. A refused request changes nothing.

use domain::Order;
use insta::assert_snapshot;
use pay::Pay;
use serde_json::json;
use store::{Ending, StartOutcome};
use test_aws::{Calls, event};
use test_shop::{Body, Buyer, Shop, Stage, brief, refuses_what_every_route_refuses};

use crate::shoppers::{
    NOT_OF_THE_SANDBOX, PAYMENT_IN_PROGRESS, RESERVATION_EXPIRED, UNKNOWN_ORDER, decline,
    pay::{function, good_body, request},
};

#[tokio::test]
async fn what_every_route_refuses() {
    let good = test_aws::request("POST", "/payment");
    refuses_what_every_route_refuses::<Pay>(&Shop::with(Stage::Waiting).await, &good, Body::Required).await;
}

#[tokio::test]
async fn a_member_at_fault_is_pointed_at_and_refusing_it_costs_nothing() {
    let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
    let function = function(&shop, &calls);
    for (member, value, expected) in [
        ("order_id", json!(42), "400 malformed-request /order_id"),
        ("order_id", json!(null), "400 malformed-request /order_id"),
        ("order_id", json!(""), "404 unknown-order"),
        ("order_id", json!("demo"), "404 unknown-order"),
        ("payment_method", json!({"token": "ok"}), "400 malformed-request /payment_method"),
        ("payment_method", json!(""), "422 invalid-request /payment_method"),
        ("payment_method", json!("cash"), "422 invalid-request /payment_method"),
        ("payment_method", json!("4242424242424242"), "400 card-data /payment_method"),
        ("payment_method", json!("sandbox:4242424242424242"), "400 card-data /payment_method"),
        ("amount", json!(4_242_424_242_424_242_u64), "400 card-data /amount"),
    ] {
        let mut body = good_body(&Buyer::first());
        body[member] = value;
        assert_eq!(brief(&function.handle(request().json(&body).build()).await), expected, "{body}");
    }
    for method in NOT_OF_THE_SANDBOX {
        let mut body = good_body(&Buyer::first());
        body["payment_method"] = json!(method);
        let answer = brief(&function.handle(request().json(&body).build()).await);
        assert_eq!(answer, "422 invalid-request /payment_method", "{method}");
    }
    for member in ["order_id", "payment_method", "amount"] {
        let mut body = good_body(&Buyer::first());
        body.as_object_mut().unwrap().remove(member);
        let line = brief(&function.handle(request().json(&body).build()).await);
        assert_eq!(line, format!("400 malformed-request /{member}"));
    }
    assert_eq!((calls.total(), shop.orders_sent().len()), (0, 0));
}

#[tokio::test]
async fn an_order_that_does_not_wait_for_a_payment_is_refused_by_what_became_of_it() {
    let answers = test_shop::by_stage(async |shop, stage| {
        // The first attempts began at 12:00:00.
        shop.clock.set("2026-11-01T12:00:29Z");
        let (calls, before) = (Calls::new(), shop.everything().await);
        let answer = brief(&function(&shop, &calls).handle(event("pay/ok.json")).await);
        if answer != "202" {
            assert_eq!((shop.everything().await, calls.count("TransactWriteItems")), (before, 0), "{stage:?}");
            assert_eq!(shop.orders_sent(), [] as [serde_json::Value; 0], "{stage:?}");
        }
        answer
    });
    assert_snapshot!(answers.await, @r"
    202: Waiting, WaitingAgain
    404 unknown-order: Claimed, Held
    409 already-paid: Completed
    409 payment-in-progress: Pending, Unavailable, Declined, Authorised, Uncaptured, Charged, Sold, Mischarged, PayingAgain, GivenBack, Refunding
    410 reservation-expired: Failed, Refunded, RefundPending, GivenBackLater, Expired
    ");
}

#[tokio::test]
async fn what_is_paid_is_not_charged_again_and_what_is_being_paid_is_not_either() {
    let shop = Shop::with(Stage::Completed).await;
    assert_snapshot!(shop.told::<Pay>("pay/ok").await, @r"
    409 Conflict: already-paid, Already paid
    The order has been paid; nothing was charged again.
    ");
    let shop = Shop::with(Stage::Pending).await;
    assert_eq!(shop.told::<Pay>("pay/ok").await, PAYMENT_IN_PROGRESS);
}

#[tokio::test]
async fn somebody_elses_order_is_404_like_one_that_is_not_there() {
    for stage in [Stage::Waiting, Stage::Pending, Stage::Completed, Stage::WaitingAgain] {
        let shop = Shop::with(stage).await;
        let before = shop.everything().await;
        let response = shop.ask::<Pay>("pay/somebody-elses").await;
        assert_eq!(brief(&response), "404 unknown-order", "{stage:?}");
        assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{stage:?}");
    }
    let shop = Shop::with(Stage::Waiting).await;
    assert_eq!(shop.told::<Pay>("pay/unknown-order").await, UNKNOWN_ORDER);
}

#[tokio::test]
async fn an_order_can_be_paid_until_its_end_to_the_second() {
    for stage in [Stage::Waiting, Stage::WaitingAgain] {
        let shop = Shop::with(stage).await;
        let (function, before) = (function(&shop, &Calls::new()), shop.everything().await);
        shop.clock.set(test_shop::END);
        assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "410 reservation-expired", "{stage:?}");
        assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{stage:?}");
        shop.clock.set("2026-11-01T12:04:59.999Z");
        assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "202", "{stage:?}");
    }
}

/// The stream has not reached the order yet: the transaction's condition refuses the payment.
#[tokio::test]
async fn an_order_whose_reservation_was_given_up_is_410() {
    let (shop, buyer) = (Shop::with(Stage::Waiting).await, Buyer::first());
    shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
    let before = shop.everything().await;
    assert_eq!(shop.told::<Pay>("pay/ok").await, RESERVATION_EXPIRED);
    assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]));
}

/// Declines payments until `attempts` have been made.
async fn decline_until(shop: &Shop, attempts: u32) {
    let (buyer, now) = (Buyer::first(), shop.now());
    let first = shop.order(&buyer).await.attempt + 1;
    for attempt in first..=attempts {
        let started = shop.uncounted().purchases().start_again(&shop.order(&buyer).await, &buyer.method, now).await.unwrap();
        assert_eq!(started, StartOutcome::Started);
        decline(shop, &buyer, attempt).await;
    }
}

#[tokio::test]
async fn the_last_attempt_is_taken_and_one_more_is_429() {
    let shop = Shop::with(Stage::WaitingAgain).await;
    decline_until(&shop, Order::MAX_ATTEMPTS - 1).await;
    assert_eq!(brief(&shop.ask::<Pay>("pay/ok").await), "202");
    let shop = Shop::with(Stage::WaitingAgain).await;
    decline_until(&shop, Order::MAX_ATTEMPTS).await;
    let before = shop.everything().await;
    assert_snapshot!(shop.told::<Pay>("pay/ok").await, @r"
    429 Too Many Requests: too-many-attempts, Too many attempts
    An order can be paid in at most 20 attempts. This one expires at 2026-11-01T12:05:00Z; then reserve again.
    ");
    assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]));
}
