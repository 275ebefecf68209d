//! Tasks that come late, name no order of the shopper, or cannot be read: no gateway charges anything.

use charge_payment::ChargePayment;
use domain::AttemptStatus;
use store::Advanced;
use test_aws::{Fault, every_interleaving};
use test_shop::Stage;

use crate::saga::{
    cannot_read, changes_nothing,
    charge_payment::{Charging, authorised, charged, declined, unavailable},
    error, input, input_of,
};

#[tokio::test]
async fn only_an_order_that_is_pending_with_this_attempt_is_charged() {
    for stage in Stage::ALL {
        let charging = Charging::at(stage, "sandbox:charged-at-once").await;
        let expected = match stage {
            Stage::Pending => continue,
            Stage::Authorised | Stage::Uncaptured => authorised(0, "sandbox"),
            Stage::Charged | Stage::Sold | Stage::Mischarged => charged(0, "sandbox"),
            Stage::Unavailable => unavailable(Some(1)),
            Stage::Declined => declined("The card was declined."),
            Stage::Claimed
            | Stage::Held
            | Stage::Waiting
            | Stage::Completed
            | Stage::WaitingAgain
            | Stage::PayingAgain
            | Stage::Failed
            | Stage::GivenBack
            | Stage::Refunded
            | Stage::Refunding
            | Stage::RefundPending
            | Stage::GivenBackLater
            | Stage::Expired => error("OrderNotPending"),
        };
        changes_nothing::<ChargePayment>(&charging.shop, input("charge-payment/ok"), expected, stage).await;
    }
}

#[tokio::test]
async fn an_attempt_whose_money_goes_back_is_not_charged() {
    for status in [AttemptStatus::Refunding, AttemptStatus::Refunded, AttemptStatus::Voided] {
        let charging = Charging::of("sandbox:charged-at-once").await;
        charging.shop.attempt(&charging.buyer, 1, "sandbox", status).await;
        for event in ["charge-payment/ok", "charge-payment/next-gateway", "charge-payment/no-such-gateway"] {
            changes_nothing::<ChargePayment>(&charging.shop, input(event), error("OrderNotPending"), (status, event)).await;
        }
    }
}

/// Another run completes the order while this run hangs. This run gives the answer that the other run's charge got.
#[tokio::test]
async fn an_order_that_is_completed_meanwhile_is_charged() {
    every_interleaving(async |interleaving| {
        let charging = Charging::with_calls(Stage::Sold, "sandbox:charged-at-once", &interleaving.calls).await;
        let (purchases, order) = (charging.shop.uncounted().purchases(), charging.shop.order(&charging.buyer).await);
        let complete = purchases.complete(&order, 1, "sandbox_1", charging.shop.now());
        let (answer, bought) = interleaving.run(charging.on("ok"), complete).await;
        assert_eq!(bought.unwrap(), Advanced::Done);
        // If the run hangs before its first request, it reads the completed order itself.
        assert!([charged(0, "sandbox"), error("OrderNotPending")].contains(&answer), "{answer:?}");
        assert_eq!(charging.charges().await, (1, 0));
        assert_eq!(charging.shop.attempt_status(&charging.buyer, 1).await, Some(AttemptStatus::Kept));
    })
    .await;
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_charged() {
    let charging = Charging::of("sandbox:charged-at-once").await;
    for input in [input("charge-payment/unknown-order"), input_of("somebody-else", "charge-payment/ok")] {
        changes_nothing::<ChargePayment>(&charging.shop, input.clone(), error("OrderNotPending"), input).await;
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed_and_costs_nothing() {
    let events = ["charge-payment/malformed", "charge-payment/missing-shopper", "charge-payment/wrong-type"];
    cannot_read::<ChargePayment>(&Charging::of("sandbox:charged-at-once").await.shop, &events).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    for operation in ["GetItem", "PutItem"] {
        for (fault, expected) in [
            (Fault::Throttled, "StoreUnavailable"),
            (Fault::ServerError, "StoreUnavailable"),
            (Fault::LostRequest, "StoreUnavailable"),
            (Fault::Denied, "StoreFailed"),
        ] {
            let charging = Charging::of("sandbox:charged-at-once").await;
            charging.calls.fail_always(operation, fault);
            assert_eq!(charging.on("ok").await, error(expected), "{operation} {fault:?}");
            assert_eq!(charging.charges().await, (0, 0));
            charging.calls.heal();
            assert_eq!(charging.drive().await.pop().unwrap(), charged(0, "sandbox"));
        }
    }
}
