//! The process dies at any of its requests, or two of them run at once: the attempt ends once and as it should.

use domain::{AttemptStatus, OrderStatus, PaymentStatus};
use test_aws::{Calls, Fault, every_crash};
use test_shop::{Stage, demo};

use crate::saga::fail_order::{at, at_declined, error, event_of, run, status};

#[tokio::test]
async fn a_failed_payment_that_was_cut_off_hands_the_hold_back_once() {
    every_crash(async |calls| {
        let (shop, buyer) = at_declined().await;
        let died = run(&shop, calls, event_of("ok")).await;
        calls.heal();
        assert_eq!(run(&shop, calls, event_of("ok")).await, status("awaiting_payment"), "after {died:?}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::AwaitingPayment, 2), "after {died:?}");
        assert_eq!(shop.ttl(&buyer).await, Some(order.pay_by.as_second()), "after {died:?}");
        assert!(!shop.queue.sent().is_empty(), "after {died:?}");
        assert!(shop.queue.sent().iter().all(|sent| sent.delay_seconds == 240), "after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refunded_order_whose_end_was_cut_off_ends_once() {
    for (attempt, expected) in [(AttemptStatus::Refunded, "refunded"), (AttemptStatus::Voided, "failed")] {
        every_crash(async |calls| {
            let (shop, buyer) = at(Stage::Pending).await;
            shop.attempt(&buyer, 1, "sandbox", attempt).await;
            shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
            let died = run(&shop, calls, event_of("refunded")).await;
            calls.heal();
            assert_eq!(run(&shop, calls, event_of("refunded")).await, status(expected), "after {died:?}");
            assert_eq!(shop.order(&buyer).await.history.len(), 2, "after {died:?}");
            assert_eq!(shop.reservation(&buyer).await, None, "after {died:?}");
            assert_eq!(shop.units(&demo()).await, (100, 0, 0), "after {died:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_unconfirmed_refund_that_was_cut_off_is_written_down_once() {
    every_crash(async |calls| {
        let (shop, buyer) = at(Stage::Sold).await;
        let died = run(&shop, calls, event_of("refund-pending")).await;
        calls.heal();
        assert_eq!(run(&shop, calls, event_of("refund-pending")).await, status("failed"), "after {died:?}");
        let order = shop.order(&buyer).await;
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
        let (shop, buyer) = at(Stage::Pending).await;
        shop.attempt(&buyer, 1, "sandbox", attempt).await;
        let calls = Calls::new();
        let (one, other) = tokio::join!(run(&shop, &calls, event_of(event)), run(&shop, &calls, event_of(event)));
        assert_eq!((one, other), (status(expected), status(expected)), "{event}");
        assert_eq!(shop.order(&buyer).await.history.len(), 2, "{event}");
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
            let (shop, _) = at_declined().await;
            let calls = Calls::new();
            calls.fail_always(operation, fault);
            assert_eq!(run(&shop, &calls, event_of(event)).await, error(expected), "{event} {operation} {fault:?}");
            calls.heal();
            assert_eq!(run(&shop, &calls, event_of(event)).await, status(then), "{event} {operation} {fault:?}");
        }
    }
}
