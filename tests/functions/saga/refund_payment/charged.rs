//! Charged money goes back once, from the gateway that has it. The money of a completed order never goes back.

use domain::{AttemptStatus, OrderStatus};
use parts::FromParts;
use refund_payment::RefundPayment;
use store::Advanced;
use test_aws::{Calls, Fault, every_interleaving};
use test_shop::Stage;

use crate::saga::{
    cannot_read, changes_nothing, error, input, input_of,
    refund_payment::{Refunding, refunded},
};

#[tokio::test]
async fn what_was_charged_goes_back_once() {
    for stage in [Stage::Charged, Stage::Sold, Stage::RefundPending] {
        let refunding = Refunding::at(stage, "sandbox:charged-at-once").await;
        for _ in 0..3 {
            assert_eq!(refunding.on("ok").await, refunded(true), "{stage:?}");
        }
        assert_eq!(refunding.money().await, [(1, 1), (0, 0)], "{stage:?}");
        assert_eq!(refunding.shop.attempt_status(&refunding.buyer, 1).await, Some(AttemptStatus::Refunded), "{stage:?}");
    }
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_goes_back_too() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:charged-but-answer-lost").await;
    assert_eq!(refunding.charge(0).await, error("PaymentOutcomeUnknown"));
    assert_eq!(refunding.on("ok").await, refunded(true));
    assert_eq!(refunding.money().await, [(1, 1), (0, 0)]);
}

#[tokio::test]
async fn a_refund_that_fails_is_unconfirmed_until_it_succeeds() {
    let refunding = Refunding::at(Stage::Charged, "sandbox:refund-fails-once").await;
    assert_eq!(refunding.on("ok").await, error("RefundUnconfirmed"));
    assert_eq!(refunding.money().await, [(1, 0), (0, 0)]);
    let decided = refunding.shop.attempt_status(&refunding.buyer, 1).await;
    assert_eq!(decided, Some(AttemptStatus::Refunding), "nobody keeps it any more");
    for _ in 0..2 {
        assert_eq!(refunding.on("ok").await, refunded(true));
    }
    assert_eq!(refunding.money().await, [(1, 1), (0, 0)]);
}

#[tokio::test]
async fn the_gateway_that_charged_gives_it_back() {
    let refunding = Refunding::at(Stage::Pending, "sandbox:primary-down").await;
    refunding.charge(0).await.unwrap();
    refunding.charge(1).await.unwrap();
    for _ in 0..2 {
        assert_eq!(refunding.on("ok").await, refunded(true));
    }
    assert_eq!(refunding.money().await, [(0, 0), (1, 1)]);
}

#[tokio::test]
async fn a_gateway_that_was_configured_away_leaves_the_refund_unconfirmed() {
    let refunding = Refunding::at(Stage::Charged, "sandbox:charged-at-once").await;
    let mut parts = refunding.shop.parts_with(&Calls::new(), &[("PAYMENT_GATEWAYS", "sandbox-standby")]);
    let function = RefundPayment::wire(&mut parts).unwrap();
    let event = test_aws::event_value("refund-payment/ok.json");
    assert_eq!(test_shop::task(&function, event).await, error("RefundUnconfirmed"));
    assert_eq!(refunding.money().await, [(1, 0), (0, 0)]);
    assert_eq!(refunding.shop.attempt_status(&refunding.buyer, 1).await, Some(AttemptStatus::Refunding));
}

#[tokio::test]
async fn the_gateway_is_not_asked_before_it_is_written_down_that_the_money_goes_back() {
    let refunding = Refunding::at(Stage::Charged, "sandbox:charged-at-once").await;
    let before = refunding.shop.everything().await;
    refunding.calls.fail_always("UpdateItem", Fault::LostRequest);
    assert_eq!(refunding.on("ok").await, error("StoreUnavailable"));
    assert_eq!(refunding.shop.everything().await, before);
    assert_eq!(refunding.calls.count("GetItem"), 2, "the order and the attempt, but not the sandbox's books");
}

/// Another task completes the order while this run hangs, also after it has read the order as pending and the attempt as charged.
#[tokio::test]
async fn what_is_bought_meanwhile_is_not_refunded() {
    every_interleaving(async |interleaving| {
        let refunding = Refunding::with_calls(Stage::Sold, "sandbox:charged-at-once", &interleaving.calls).await;
        let (shop, buyer) = (&refunding.shop, &refunding.buyer);
        let (purchases, order) = (shop.uncounted().purchases(), shop.order(buyer).await);
        let (answer, bought) = interleaving.run(refunding.on("ok"), purchases.complete(&order, 1, "sandbox_1", shop.now())).await;
        if bought.unwrap() == Advanced::Done {
            assert!([error("OrderNotPending"), error("StoreUnavailable")].contains(&answer), "{answer:?}");
            assert_eq!(refunding.drive().await.pop(), Some(error("OrderNotPending")));
            assert_eq!(refunding.money().await, [(1, 0), (0, 0)]);
            assert_eq!(shop.order(buyer).await.status, OrderStatus::Completed);
            assert_eq!(shop.attempt_status(buyer, 1).await, Some(AttemptStatus::Kept));
        } else {
            assert_eq!((answer, refunding.money().await), (refunded(true), [(1, 1), (0, 0)]));
            assert_eq!(shop.order(buyer).await.status, OrderStatus::Pending);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_bought_is_not_refunded_by_a_saga_that_comes_late() {
    let shop = Refunding::at(Stage::Completed, "sandbox:charged-at-once").await.shop;
    changes_nothing::<RefundPayment>(&shop, input("refund-payment/ok"), error("OrderNotPending"), "bought").await;
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_refunded() {
    let shop = Refunding::at(Stage::Charged, "sandbox:charged-at-once").await.shop;
    for input in [input("refund-payment/unknown-order"), input_of("somebody-else", "refund-payment/ok")] {
        changes_nothing::<RefundPayment>(&shop, input.clone(), error("OrderNotPending"), input).await;
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed_and_costs_nothing() {
    let events = ["refund-payment/malformed", "refund-payment/missing-shopper", "refund-payment/wrong-type"];
    cannot_read::<RefundPayment>(&Refunding::at(Stage::Charged, "sandbox:charged-at-once").await.shop, &events).await;
}

/// A fault on the order or the attempt is the store's. A fault after them is the gateway's.
#[tokio::test]
async fn who_does_not_answer_is_asked_again() {
    for (stage, operation, fault, expected) in [
        (Stage::Charged, "GetItem", Fault::LostRequest, "StoreUnavailable"),
        (Stage::Charged, "GetItem", Fault::Throttled, "StoreUnavailable"),
        (Stage::Charged, "GetItem", Fault::Denied, "StoreFailed"),
        (Stage::Charged, "UpdateItem", Fault::ServerError, "StoreUnavailable"),
        (Stage::Refunding, "UpdateItem", Fault::LostRequest, "RefundUnconfirmed"),
        (Stage::Refunding, "UpdateItem", Fault::Denied, "RefundUnconfirmed"),
    ] {
        let refunding = Refunding::at(stage, "sandbox:charged-at-once").await;
        refunding.calls.fail_always(operation, fault);
        assert_eq!(refunding.on("ok").await, error(expected), "{operation} {fault:?}");
        refunding.calls.heal();
        assert_eq!(refunding.on("ok").await, refunded(true), "{operation} {fault:?}");
        assert_eq!(refunding.money().await, [(1, 1), (0, 0)], "{operation} {fault:?}");
    }
}
