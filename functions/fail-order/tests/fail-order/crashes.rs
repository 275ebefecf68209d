//! The process dies at any of its requests, or two of them run at once: the attempt ends once and as it should.

use domain::{AttemptStatus, OrderStatus, PaymentStatus};
use scene::{Stage, demo};
use testkit::{Calls, Fault, every_crash};

use crate::{at, at_declined, error, event_of, run, status};

#[tokio::test]
async fn a_failed_payment_that_was_cut_off_hands_the_hold_back_once() {
    every_crash(async |calls| {
        let (scene, buyer) = at_declined().await;
        let died = run(&scene, calls, event_of("ok")).await;
        calls.heal();
        assert_eq!(run(&scene, calls, event_of("ok")).await, status("awaiting_payment"), "after {died:?}");
        let order = scene.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::AwaitingPayment, 2), "after {died:?}");
        assert_eq!(scene.ttl(&buyer).await, Some(order.pay_by.as_second()), "after {died:?}");
        assert!(!scene.queue.sent().is_empty(), "after {died:?}");
        assert!(scene.queue.sent().iter().all(|sent| sent.delay_seconds == 240), "after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refunded_order_whose_end_was_cut_off_ends_once() {
    for (attempt, expected) in [(AttemptStatus::Refunded, "refunded"), (AttemptStatus::Voided, "failed")] {
        every_crash(async |calls| {
            let (scene, buyer) = at(Stage::Pending).await;
            scene.attempt(&buyer, 1, "sandbox", attempt).await;
            scene.stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
            let died = run(&scene, calls, event_of("refunded")).await;
            calls.heal();
            assert_eq!(run(&scene, calls, event_of("refunded")).await, status(expected), "after {died:?}");
            assert_eq!(scene.order(&buyer).await.history.len(), 2, "after {died:?}");
            assert_eq!(scene.reservation(&buyer).await, None, "after {died:?}");
            assert_eq!(scene.units(&demo()).await, (100, 0, 0), "after {died:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_unconfirmed_refund_that_was_cut_off_is_written_down_once() {
    every_crash(async |calls| {
        let (scene, buyer) = at(Stage::Sold).await;
        let died = run(&scene, calls, event_of("refund-pending")).await;
        calls.heal();
        assert_eq!(run(&scene, calls, event_of("refund-pending")).await, status("failed"), "after {died:?}");
        let order = scene.order(&buyer).await;
        assert_eq!((order.payment_status, order.history.len()), (PaymentStatus::RefundPending, 2), "after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn two_runs_at_once_end_the_attempt_once() {
    for (event, attempt, expected) in [
        ("ok", AttemptStatus::Declined, "awaiting_payment"),
        ("refund-pending", AttemptStatus::Refunding, "failed"),
        ("refunded", AttemptStatus::Voided, "failed"),
    ] {
        let (scene, buyer) = at(Stage::Pending).await;
        scene.attempt(&buyer, 1, "sandbox", attempt).await;
        let calls = Calls::new();
        let (one, other) = tokio::join!(run(&scene, &calls, event_of(event)), run(&scene, &calls, event_of(event)));
        assert_eq!((one, other), (status(expected), status(expected)), "{event}");
        assert_eq!(scene.order(&buyer).await.history.len(), 2, "{event}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    for (operation, fault, expected) in [
        ("GetItem", Fault::LostRequest, "StoreUnavailable"),
        ("GetItem", Fault::Denied, "StoreFailed"),
        ("TransactWriteItems", Fault::Throttled, "StoreUnavailable"),
        ("TransactWriteItems", Fault::LostAnswer, "StoreUnavailable"),
        ("TransactWriteItems", Fault::Denied, "StoreFailed"),
    ] {
        for (event, then) in [("ok", "awaiting_payment"), ("refunded", "failed"), ("refund-pending", "failed")] {
            let (scene, _) = at_declined().await;
            let calls = Calls::new();
            calls.fail_always(operation, fault);
            assert_eq!(run(&scene, &calls, event_of(event)).await, error(expected), "{event} {operation} {fault:?}");
            calls.heal();
            assert_eq!(run(&scene, &calls, event_of(event)).await, status(then), "{event} {operation} {fault:?}");
        }
    }
}
