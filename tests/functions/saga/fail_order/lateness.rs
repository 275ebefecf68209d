//! Tasks that come after the order has moved on: they answer with its status, or refuse, and change nothing.

use domain::AttemptStatus;
use fail_order::FailOrder;
use test_shop::{Buyer, Stage};

use crate::{
    saga::{
        Answer, at, changes_nothing, error,
        fail_order::{on, stage_read, status},
        input, input_of,
    },
    scheduled,
};

/// The order's stage, and the answers to three late tasks: after a failed payment, after a refund, and after an unconfirmed
/// refund.
fn late() -> [(Stage, [Answer; 3]); 9] {
    let refused = || error("OrderNotPending");
    [
        (Stage::Held, [refused(), refused(), refused()]),
        // No attempt has been made.
        (Stage::Waiting, [refused(), refused(), refused()]),
        // The money belongs to the completed order and was not given back.
        (Stage::Completed, [refused(), refused(), refused()]),
        (Stage::WaitingAgain, [status("awaiting_payment"), refused(), refused()]),
        // The units belong to the second attempt.
        (Stage::PayingAgain, [status("pending"), refused(), refused()]),
        (Stage::Failed, [status("failed"), status("failed"), status("failed")]),
        (Stage::Refunded, [refused(), status("refunded"), refused()]),
        (Stage::RefundPending, [refused(), error("RefundUnconfirmed"), status("failed")]),
        (Stage::Expired, [status("expired"), status("expired"), status("expired")]),
    ]
}

#[tokio::test]
async fn a_task_that_comes_late_says_how_the_order_stands_and_changes_nothing() {
    for (stage, answers) in late() {
        for (event, expected) in ["fail-order/ok", "fail-order/refunded", "fail-order/refund-pending"].into_iter().zip(answers) {
            changes_nothing::<FailOrder>(&at(stage).await.0, input(event), expected, (stage, event)).await;
        }
    }
}

/// Meanwhile, the shopper has paid with another method.
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
    let (shop, _) = stage_read(Stage::Pending).await;
    let theirs = |event| input_of(Buyer::second().shopper.as_str(), event);
    let ends = ["fail-order/ok", "fail-order/refunded", "fail-order/refund-pending"].map(theirs);
    for input in ends.into_iter().chain([input("fail-order/unknown-order")]) {
        changes_nothing::<FailOrder>(&shop, input.clone(), error("OrderNotPending"), input).await;
    }
    assert!(shop.queue.sent().is_empty() && scheduled(&shop).await.is_empty());
}
