//! What the saga does when a task fails for good, and when it runs for an order that is not being paid.

use domain::{AttemptStatus, GatewayName, OrderStatus, StockStatus};
use test_aws::Fault;
use test_shop::{Buyer, Shop, Stage, demo};

use crate::{COMPLETED, End, FAILED, KEPT, REFUNDED, end_of, machine::Machine, pending};

/// The order's hold was released: no unit is held to be sold. No money moves if the payment could be authorised first.
#[tokio::test]
async fn an_order_whose_hold_is_lost_moves_no_money_or_is_refunded() {
    for (method, expected) in [("sandbox:ok", FAILED), ("sandbox:charged-at-once", REFUNDED)] {
        let (shop, buyer) = pending(method).await;
        shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
        let machine = Machine::new(&shop);
        machine.run(&buyer, 1).await;
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, expected, "{method}");
        assert!(!machine.path().contains(&"CapturePayment".to_owned()), "{method}");
    }
}

#[tokio::test]
async fn an_order_whose_completion_fails_for_good_is_refunded() {
    let (shop, buyer) = pending("sandbox:ok").await;
    let machine = Machine::new(&shop);
    // Completing is the first transaction, sent three times in each of seven tries; failing the order, the second, must work.
    for _ in 0..3 * 7 {
        machine.calls.fail_next("TransactWriteItems", Fault::LostRequest);
    }
    machine.run(&buyer, 1).await;
    assert_eq!(end_of(&shop, &buyer, 1, &machine).await, REFUNDED);
}

/// No run learns the outcome of the charge, so the saga undoes the attempt whatever the outcome was.
#[tokio::test]
async fn a_charge_whose_outcome_stays_unknown_is_undone() {
    for (method, charged) in [("sandbox:charged-but-answer-lost", true), ("sandbox:timeout-then-ok", false)] {
        let (shop, buyer) = pending(method).await;
        let machine = Machine::new(&shop);
        // The first run asks the gateway. Later runs get no answer to their reads.
        machine.run_only_the_charge(&buyer).await;
        machine.charge_calls.fail_always("GetItem", Fault::LostRequest);
        machine.run(&buyer, 1).await;
        let expected = if charged { REFUNDED } else { FAILED };
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, expected, "{method}");
    }
}

/// Part of every key in the sandbox's books. Faults on it make the gateway unavailable; the attempt can still be written.
const BOOKS: &str = "SANDBOX#";

/// Runs the saga of a wrong charge while no refund is confirmed. The order must be kept for a person's review.
async fn is_kept_for_review(shop: &Shop, buyer: &Buyer, machine: &Machine<'_>) {
    machine.refund_calls.fail_always_for("UpdateItem", BOOKS, Fault::LostRequest);
    machine.run(buyer, 1).await;
    assert_eq!(end_of(shop, buyer, 1, machine).await, KEPT);
}

/// The order says that its refund is pending and keeps its units. The execution fails, so that the alarm calls a person.
#[tokio::test]
async fn an_order_whose_refund_stays_unconfirmed_is_kept_for_review() {
    let (shop, buyer) = pending("sandbox:wrong-amount").await;
    let machine = Machine::new(&shop);
    is_kept_for_review(&shop, &buyer, &machine).await;
}

/// A person starts another execution, under another name, when the gateway answers again.
#[tokio::test]
async fn a_new_execution_refunds_what_was_kept_for_review() {
    let (shop, buyer) = pending("sandbox:wrong-amount").await;
    let machine = Machine::new(&shop);
    is_kept_for_review(&shop, &buyer, &machine).await;
    machine.refund_calls.heal();
    machine.run(&buyer, 1).await;
    assert_eq!(shop.money(&buyer, 1, "sandbox").await, (1, 1), "the money is back");
    assert_eq!(shop.attempt_status(&buyer, 1).await, Some(AttemptStatus::Refunded));
    assert_eq!(end_of(&shop, &buyer, 1, &machine).await, REFUNDED);
}

/// The saga asks for the refund and gets no confirmation, and cannot record how the order ended. To another execution the order
/// looks unpaid. The gateway may still carry the refund out at any time.
#[tokio::test]
async fn an_execution_after_an_unconfirmed_refund_does_not_complete_the_order() {
    for is_carried_out in [false, true] {
        let (shop, buyer) = pending("sandbox:ok").await;
        let machine = Machine::new(&shop);
        machine.refund_calls.fail_always_for("UpdateItem", BOOKS, Fault::LostRequest);
        machine.calls.fail_always("TransactWriteItems", Fault::LostRequest);
        machine.run(&buyer, 1).await;
        assert_eq!(machine.ended_in(), "KeptForReview");
        assert_eq!(shop.order(&buyer).await.status, OrderStatus::Pending);
        if is_carried_out {
            shop.uncounted().books().refund(&GatewayName("sandbox".into()), &buyer.key(1)).await.unwrap();
        }
        machine.calls.heal();
        machine.refund_calls.heal();
        machine.run(&buyer, 1).await;
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, REFUNDED, "carried out: {is_carried_out}");
    }
}

#[tokio::test]
async fn a_shopper_who_cannot_be_told_has_bought_all_the_same() {
    let (shop, buyer) = pending("sandbox:ok").await;
    let machine = Machine::new(&shop);
    shop.topic.fail(true);
    machine.run(&buyer, 1).await;
    assert_eq!(end_of(&shop, &buyer, 1, &machine).await, End { told: "nothing", ..COMPLETED });
}

/// Step Functions forgets the name of an execution after 90 days. A person can also start an execution by hand.
#[tokio::test]
async fn an_execution_that_is_run_again_changes_nothing_that_has_ended() {
    for stage in [Stage::Completed, Stage::Failed, Stage::Refunded, Stage::Expired] {
        let (shop, buyer) = at(stage).await;
        let order = shop.order(&buyer).await;
        let (units, money) = (shop.units(&demo()).await, shop.money(&buyer, 1, "sandbox").await);
        Machine::new(&shop).run(&buyer, 1).await;
        assert_eq!(shop.order(&buyer).await, order, "{stage:?}");
        assert_eq!(shop.units(&demo()).await, units, "{stage:?}");
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, money, "{stage:?}");
    }
}

/// The order waits for its shopper. An execution of the failed attempt must not end the hold.
#[tokio::test]
async fn an_execution_that_is_run_again_leaves_a_hold_that_waits() {
    for stage in [Stage::Waiting, Stage::WaitingAgain] {
        let (shop, buyer) = at(stage).await;
        Machine::new(&shop).run(&buyer, 1).await;
        assert_eq!(shop.order(&buyer).await.stock_status, StockStatus::Held, "{stage:?}");
        assert_eq!(shop.units(&demo()).await, (99, 1, 0), "{stage:?}");
        assert!(shop.reservation(&buyer).await.is_some(), "{stage:?}");
    }
}

async fn at(stage: Stage) -> (test_shop::Shop, test_shop::Buyer) {
    let (shop, buyer) = (test_shop::Shop::open().await, test_shop::Buyer::first());
    shop.bring(&buyer, stage).await;
    (shop, buyer)
}
