//! Tasks that come when the order has moved on: they say how it stands, or refuse, and change nothing.

use domain::AttemptStatus;
use test_aws::Calls;
use test_shop::{Buyer, Stage};

use crate::saga::fail_order::{Answer, at, error, event_of, on, run, status};

async fn changes_nothing(stage: Stage, event: &str, expected: Answer) {
    let (shop, _) = at(stage).await;
    let before = shop.everything().await;
    for _ in 0..2 {
        assert_eq!(on(&shop, event).await, expected, "{event} at {stage:?}");
    }
    assert_eq!(shop.everything().await, before, "{event} at {stage:?}");
}

#[tokio::test]
async fn a_failed_payment_that_comes_late() {
    let refused = || error("OrderNotPending");
    for (stage, expected) in [
        (Stage::Held, refused()),
        (Stage::Completed, refused()),
        (Stage::Refunded, refused()),
        (Stage::RefundPending, refused()),
        // No attempt has been made.
        (Stage::Waiting, refused()),
        (Stage::WaitingAgain, status("awaiting_payment")),
        (Stage::PayingAgain, status("pending")),
        (Stage::Failed, status("failed")),
        (Stage::Expired, status("expired")),
    ] {
        changes_nothing(stage, "ok", expected).await;
    }
}

#[tokio::test]
async fn a_refund_that_comes_late() {
    for (stage, expected) in [
        (Stage::Held, error("OrderNotPending")),
        // Its money is where it belongs, and was not given back.
        (Stage::Completed, error("OrderNotPending")),
        (Stage::RefundPending, error("RefundUnconfirmed")),
        (Stage::Waiting, error("OrderNotPending")),
        (Stage::WaitingAgain, error("OrderNotPending")),
        // Its units are the second attempt's.
        (Stage::PayingAgain, error("OrderNotPending")),
        (Stage::Failed, status("failed")),
        (Stage::Refunded, status("refunded")),
        (Stage::Expired, status("expired")),
    ] {
        changes_nothing(stage, "refunded", expected).await;
    }
}

#[tokio::test]
async fn an_unconfirmed_refund_that_comes_late() {
    for (stage, expected) in [
        (Stage::Held, error("OrderNotPending")),
        (Stage::Completed, error("OrderNotPending")),
        (Stage::Refunded, error("OrderNotPending")),
        (Stage::Waiting, error("OrderNotPending")),
        (Stage::WaitingAgain, error("OrderNotPending")),
        (Stage::RefundPending, status("failed")),
        (Stage::PayingAgain, error("OrderNotPending")),
        (Stage::Expired, status("expired")),
    ] {
        changes_nothing(stage, "refund-pending", expected).await;
    }
}

/// The shopper has paid with another method meanwhile.
#[tokio::test]
async fn an_end_of_the_first_attempt_leaves_an_order_that_the_second_completed() {
    let (shop, buyer) = at(Stage::PayingAgain).await;
    shop.attempt(&buyer, 2, "sandbox", AttemptStatus::Charged).await;
    shop.uncounted().stock().sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
    let order = shop.order(&buyer).await;
    shop.uncounted().purchases().complete(&order, 2, "sandbox_2", shop.now()).await.unwrap();
    let before = shop.everything().await;
    assert_eq!(on(&shop, "ok").await, status("completed"), "an earlier run has handed the hold back");
    for event in ["refunded", "refund-pending"] {
        assert_eq!(on(&shop, event).await, error("OrderNotPending"), "{event}: nobody is told that the order has failed");
    }
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_ended() {
    let (shop, _) = at(Stage::Pending).await;
    let before = shop.everything().await;
    assert_eq!(on(&shop, "unknown-order").await, error("OrderNotPending"));
    for event in ["ok", "refunded", "refund-pending"] {
        let mut input = event_of(event);
        input["shopper"] = Buyer::second().shopper.as_str().into();
        assert_eq!(run(&shop, &Calls::new(), input).await, error("OrderNotPending"), "{event}");
    }
    assert_eq!(shop.everything().await, before);
    assert!(shop.queue.sent().is_empty());
}
