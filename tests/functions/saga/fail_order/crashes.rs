//! The process dies at any of its requests, or two processes run at once: the attempt ends once and as it should.

use domain::{AttemptStatus, OrderStatus, PaymentStatus};
use fail_order::FailOrder;
use test_aws::{Calls, every_crash};
use test_shop::{Stage, demo};

use crate::{
    saga::{
        at, cut_off_and_again,
        fail_order::{stage_read, status},
        input, run, tells_how_the_store_fails,
    },
    scheduled,
};

#[tokio::test]
async fn a_failed_payment_that_was_cut_off_hands_the_hold_back_once() {
    every_crash(async |calls| {
        let (shop, buyer) = stage_read(Stage::Declined).await;
        let (died, again) = cut_off_and_again::<FailOrder>(&shop, calls, "fail-order/ok").await;
        assert_eq!(again, status("awaiting_payment"), "after {died:?}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::AwaitingPayment, 2), "after {died:?}");
        assert_eq!(shop.ttl(&buyer).await, Some(order.pay_by.as_second()), "after {died:?}");
        assert!(shop.queue.sent().is_empty(), "after {died:?}: no run sends a message");
        let delays: Vec<i64> = scheduled(&shop).await.iter().map(|sent| sent.delay_seconds).collect();
        assert_eq!(delays, [240], "after {died:?}: the stream schedules the end");
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
            let (died, again) = cut_off_and_again::<FailOrder>(&shop, calls, "fail-order/refunded").await;
            assert_eq!(again, status(expected), "after {died:?}");
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
        let (died, again) = cut_off_and_again::<FailOrder>(&shop, calls, "fail-order/refund-pending").await;
        assert_eq!(again, status("failed"), "after {died:?}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.payment_status, order.history.len()), (PaymentStatus::RefundPending, 2), "after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn two_runs_at_once_end_the_attempt_once() {
    for (event, attempt, expected) in [
        ("fail-order/ok", AttemptStatus::Declined, "awaiting_payment"),
        ("fail-order/refund-pending", AttemptStatus::Refunding, "failed"),
        ("fail-order/refunded", AttemptStatus::Voided, "failed"),
    ] {
        let (shop, buyer) = at(Stage::Pending).await;
        shop.attempt(&buyer, 1, "sandbox", attempt).await;
        let calls = Calls::new();
        let task = || run::<FailOrder>(&shop, &calls, input(event));
        assert_eq!(tokio::join!(task(), task()), (status(expected), status(expected)), "{event}");
        assert_eq!(shop.order(&buyer).await.history.len(), 2, "{event}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    for (event, then) in
        [("fail-order/ok", "awaiting_payment"), ("fail-order/refunded", "failed"), ("fail-order/refund-pending", "failed")]
    {
        let operations = ["GetItem", "TransactWriteItems"];
        tells_how_the_store_fails::<FailOrder>((Stage::Declined, event), &operations, status(then)).await;
    }
}
