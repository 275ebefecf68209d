//! The task refunds nothing that was not charged, and a charge that comes late finds the attempt void.

use domain::AttemptStatus;
use test_shop::Stage;

use crate::saga::refund_payment::{Refunding, error, refunded};

/// Refunds twice, asks every gateway to charge after all, and refunds again.
async fn stays_uncharged(refunding: &Refunding, case: &str) {
    for _ in 0..2 {
        assert_eq!(refunding.on("ok").await, refunded(false), "{case}");
    }
    for gateway in [0, 1, 0] {
        let late = refunding.charge(gateway).await;
        assert!(late.as_ref().map_or(true, |answer| answer["outcome"] != "charged"), "{case}: {late:?}");
    }
    assert_eq!(refunding.money().await, [(0, 0), (0, 0)], "{case}");
    assert_eq!(refunding.on("ok").await, refunded(false), "{case}");
}

#[tokio::test]
async fn an_attempt_that_asked_no_gateway_never_will() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:charged-at-once").await;
    stays_uncharged(&refunding, "no attempt").await;
    assert_eq!(refunding.shop.attempt_status(&refunding.buyer, 1).await, Some(AttemptStatus::Voided));
}

#[tokio::test]
async fn a_charge_that_never_reached_the_gateway_never_will() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:charged-at-once").await;
    refunding.shop.attempt(&refunding.buyer, 1, "sandbox", AttemptStatus::Started).await;
    stays_uncharged(&refunding, "started").await;
}

#[tokio::test]
async fn a_charge_that_timed_out_is_not_made_later() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:timeout-then-ok").await;
    assert!(refunding.charge(0).await.is_err());
    stays_uncharged(&refunding, "timed out").await;
}

#[tokio::test]
async fn a_declined_charge_is_not_made_later() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:declined").await;
    assert_eq!(refunding.charge(0).await.unwrap()["outcome"], "declined");
    stays_uncharged(&refunding, "declined").await;
}

/// The saga that gave up goes on to take the units back. A saga that is started again must do the same.
#[tokio::test]
async fn a_declined_attempt_is_void_once_its_saga_goes_back() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:declined").await;
    assert_eq!(refunding.charge(0).await.unwrap()["outcome"], "declined");
    assert_eq!(refunding.on("ok").await, refunded(false));
    assert_eq!(refunding.shop.attempt_status(&refunding.buyer, 1).await, Some(AttemptStatus::Voided));
    assert_eq!(refunding.charge(0).await.unwrap_err(), "OrderNotPending");
}

/// The first gateway is down, and the saga gave up before it asked the standby. It must not ask the standby any more.
#[tokio::test]
async fn the_next_gateway_is_not_asked_after_the_refund() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:primary-down").await;
    assert_eq!(refunding.charge(0).await.unwrap()["outcome"], "unavailable");
    stays_uncharged(&refunding, "the first gateway down").await;
}

#[tokio::test]
async fn nothing_goes_back_for_an_order_that_ended_without_a_charge() {
    for (stage, expected) in [
        (Stage::Waiting, refunded(false)),
        // The order waits for another attempt, or has one under way. This attempt must not undo the order's units.
        (Stage::WaitingAgain, error("OrderNotPending")),
        (Stage::PayingAgain, error("OrderNotPending")),
        (Stage::Failed, refunded(false)),
        (Stage::Expired, refunded(false)),
    ] {
        let refunding = Refunding::at(stage, "sandbox:charged-at-once").await;
        let order = refunding.shop.order(&refunding.buyer).await;
        for _ in 0..2 {
            assert_eq!(refunding.on("ok").await, expected, "{stage:?}");
        }
        assert_eq!(refunding.money().await, [(0, 0), (0, 0)], "{stage:?}");
        assert_eq!(refunding.shop.order(&refunding.buyer).await, order, "{stage:?}: the order is somebody else's to end");
    }
}

/// The second attempt has its own key.
#[tokio::test]
async fn a_refund_of_the_first_attempt_leaves_the_second_alone() {
    let refunding = Refunding::at(Stage::PayingAgain, "sandbox:charged-at-once").await;
    refunding.shop.attempt(&refunding.buyer, 2, "sandbox", AttemptStatus::Charged).await;
    assert_eq!(refunding.on("ok").await, error("OrderNotPending"));
    assert_eq!(refunding.shop.money(&refunding.buyer, 2, "sandbox").await, (1, 0));
    assert_eq!(refunding.shop.attempt_status(&refunding.buyer, 2).await, Some(AttemptStatus::Charged));
}

#[tokio::test]
async fn an_ended_order_that_was_refunded_says_so_again() {
    let refunding = Refunding::at(Stage::Refunded, "sandbox:charged-at-once").await;
    let before = refunding.shop.everything().await;
    assert_eq!(refunding.on("ok").await, refunded(true));
    assert_eq!(refunding.shop.everything().await, before);
}
