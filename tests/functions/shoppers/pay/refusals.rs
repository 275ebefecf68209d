//! Everything else that a payment is refused for, and that nothing changes then.

use domain::{AttemptStatus, Order};
use insta::assert_snapshot;
use serde_json::json;
use store::{Advanced, Ending, StartOutcome};
use test_aws::{Calls, event};
use test_shop::{Body, Buyer, Shop, Stage, brief, refuses_what_every_route_refuses};

use crate::shoppers::pay::{function, good_body, message, request};

#[tokio::test]
async fn what_every_route_refuses() {
    let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
    let function = function(&shop, &calls);
    let before = shop.everything().await;
    let good = test_aws::request("POST", "/payment");
    refuses_what_every_route_refuses(&calls, &good, Body::Required, async |request| function.handle(request).await).await;
    assert_eq!(shop.everything().await, before);
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
        ("payment_method", json!("4242424242424242"), "422 invalid-request /payment_method"),
    ] {
        let mut body = good_body(&Buyer::first());
        body[member] = value;
        assert_eq!(brief(&function.handle(request().json(&body).build()).await), expected, "{body}");
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
    for (stage, expected) in [
        (Stage::Held, "404 unknown-order"),
        (Stage::Pending, "409 payment-in-progress"),
        (Stage::Charged, "409 payment-in-progress"),
        (Stage::Sold, "409 payment-in-progress"),
        (Stage::Completed, "409 already-paid"),
        (Stage::PayingAgain, "409 payment-in-progress"),
        (Stage::Failed, "410 reservation-expired"),
        (Stage::Refunded, "410 reservation-expired"),
        (Stage::RefundPending, "410 reservation-expired"),
        (Stage::Expired, "410 reservation-expired"),
    ] {
        let (shop, calls) = (Shop::with(stage).await, Calls::new());
        let before = shop.everything().await;
        assert_eq!(brief(&function(&shop, &calls).handle(event("pay/ok.json")).await), expected, "{stage:?}");
        assert_eq!((shop.everything().await, calls.count("TransactWriteItems")), (before, 0), "{stage:?}");
        let attempt = if stage == Stage::PayingAgain { 2 } else { 1 };
        let sent = if expected.ends_with("in-progress") { vec![message(attempt)] } else { vec![] };
        assert_eq!(shop.orders_sent(), sent, "{stage:?}");
    }
}

#[tokio::test]
async fn what_is_paid_is_not_charged_again_and_what_is_being_paid_is_not_either() {
    let shop = Shop::with(Stage::Completed).await;
    let response = function(&shop, &Calls::new()).handle(event("pay/ok.json")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    409 Conflict: already-paid, Already paid
    The order has been paid; nothing was charged again.
    ");
    let shop = Shop::with(Stage::Pending).await;
    let response = function(&shop, &Calls::new()).handle(event("pay/ok.json")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    409 Conflict: payment-in-progress, Payment in progress
    A payment is under way. Look at the order to see what becomes of it.
    ");
}

#[tokio::test]
async fn somebody_elses_order_is_404_like_one_that_is_not_there() {
    for stage in [Stage::Waiting, Stage::Pending, Stage::Completed, Stage::WaitingAgain] {
        let shop = Shop::with(stage).await;
        let before = shop.everything().await;
        let response = function(&shop, &Calls::new()).handle(event("pay/somebody-elses.json")).await;
        assert_eq!(brief(&response), "404 unknown-order", "{stage:?}");
        assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{stage:?}");
    }
    let shop = Shop::with(Stage::Waiting).await;
    let response = function(&shop, &Calls::new()).handle(event("pay/unknown-order.json")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    404 Not Found: unknown-order, Unknown order
    You have no such order.
    ");
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

/// The stream has not come round to the order yet: the transaction's condition refuses it.
#[tokio::test]
async fn an_order_whose_reservation_was_given_up_is_410() {
    let (shop, buyer) = (Shop::with(Stage::Waiting).await, Buyer::first());
    shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
    let before = shop.everything().await;
    let response = function(&shop, &Calls::new()).handle(event("pay/ok.json")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    410 Gone: reservation-expired, Reservation expired
    The time of this reservation is over. Reserve again.
    ");
    assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]));
}

/// Declines payments until `attempts` have been made.
async fn decline_until(shop: &Shop, attempts: u32) {
    let (buyer, now) = (Buyer::first(), shop.now());
    let mut order = shop.order(&buyer).await;
    while order.attempt < attempts {
        let started = shop.uncounted().purchases().start_again(&order, &buyer.method, now).await.unwrap();
        assert_eq!(started, StartOutcome::Started);
        let (attempt, pay_by) = (order.attempt + 1, order.pay_by);
        shop.attempt(&buyer, attempt, "sandbox", AttemptStatus::Declined).await;
        let declined =
            shop.uncounted().purchases().payment_failed(&order, attempt, pay_by, "The card was declined.", now).await.unwrap();
        assert_eq!(declined, Advanced::Done);
        order = shop.order(&buyer).await;
    }
}

#[tokio::test]
async fn the_last_attempt_is_taken_and_one_more_is_429() {
    let shop = Shop::with(Stage::WaitingAgain).await;
    decline_until(&shop, Order::MAX_ATTEMPTS - 1).await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(event("pay/ok.json")).await), "202");
    let shop = Shop::with(Stage::WaitingAgain).await;
    decline_until(&shop, Order::MAX_ATTEMPTS).await;
    let before = shop.everything().await;
    let response = function(&shop, &Calls::new()).handle(event("pay/ok.json")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    429 Too Many Requests: rate-limited, Too many attempts
    retry-after: 240
    An order can be paid in at most 20 attempts.
    ");
    assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]));
}
