//! The process dies at any of its requests, two processes run at once, or a charge runs beside it. Every charge has gone back in
//! the end.

use refund_payment::RefundPayment;
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::Stage;

use crate::saga::refund_payment::{Answer, Refunding, error, refunded};

/// Runs the charge `charges` times. Lets the first run of the refund die at each of its requests, drives it to its end, and
/// checks the money.
async fn survives(method: &str, charges: usize, expected: Answer, money: (u32, u32)) {
    every_crash(async |calls| {
        let refunding = Refunding::with_calls(Stage::Pending, method, calls).await;
        for _ in 0..charges {
            let _ = refunding.charge(0).await;
        }
        let died = refunding.on("ok").await;
        if calls.has_crashed() {
            let passing = [error("RefundUnconfirmed"), error("StoreUnavailable"), expected.clone()];
            assert!(passing.contains(&died), "{method}: {died:?}");
        }
        calls.heal();
        assert_eq!(refunding.drive().await.pop(), Some(expected.clone()), "{method} after {died:?}");
        assert_eq!(refunding.money().await, [money, (0, 0)], "{method} after {died:?}");
        let late = refunding.charge(0).await;
        assert!(late.as_ref().map_or(true, |answer| answer["outcome"] != "charged"), "{method}: {late:?}");
        assert_eq!(refunding.money().await, [money, (0, 0)], "{method} after {died:?} and a late charge");
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_was_cut_off_is_made_once() {
    survives("sandbox:charged-at-once", 1, refunded(true), (1, 1)).await;
}

#[tokio::test]
async fn a_refund_that_failed_and_was_cut_off_is_made_once() {
    survives("sandbox:refund-fails-once", 1, refunded(true), (1, 1)).await;
}

#[tokio::test]
async fn a_refund_of_a_charge_whose_answer_was_lost_is_made_once() {
    survives("sandbox:charged-but-answer-lost", 1, refunded(true), (1, 1)).await;
}

#[tokio::test]
async fn a_void_of_an_authorisation_that_was_cut_off_is_made() {
    survives("sandbox:ok", 1, refunded(false), (0, 0)).await;
    survives("sandbox:authorised-but-answer-lost", 1, refunded(false), (0, 0)).await;
}

#[tokio::test]
async fn a_void_that_was_cut_off_is_made() {
    survives("sandbox:timeout-then-ok", 1, refunded(false), (0, 0)).await;
}

#[tokio::test]
async fn a_void_before_any_charge_that_was_cut_off_is_made() {
    survives("sandbox:charged-at-once", 0, refunded(false), (0, 0)).await;
}

#[tokio::test]
async fn a_void_after_a_gateway_was_down_that_was_cut_off_is_made() {
    survives("sandbox:down", 1, refunded(false), (0, 0)).await;
}

#[tokio::test]
async fn two_refunds_at_once_give_back_once() {
    for method in ["sandbox:charged-at-once", "sandbox:refund-fails-once"] {
        let refunding = Refunding::at(Stage::Charged, method).await;
        let _ = tokio::join!(refunding.on("ok"), refunding.on("ok"));
        assert_eq!(refunding.drive().await.pop(), Some(refunded(true)), "{method}");
        assert_eq!(refunding.money().await, [(1, 1), (0, 0)], "{method}");
    }
}

/// A run that loses the write tries again and finds the other run's decision.
#[tokio::test]
async fn a_refund_that_hangs_while_another_one_runs_gives_back_once() {
    for method in ["sandbox:charged-at-once", "sandbox:refund-fails-once", "sandbox:timeout-then-ok"] {
        let expected = refunded(method != "sandbox:timeout-then-ok");
        every_interleaving(async |interleaving| {
            let refunding = Refunding::with_calls(Stage::Pending, method, &interleaving.calls).await;
            let _ = refunding.charge(0).await;
            let other: RefundPayment = refunding.shop.wire(&Calls::new());
            let event = test_aws::event_value("refund-payment/ok.json");
            let answers = interleaving.run(refunding.on("ok"), test_shop::task(&other, event)).await;
            assert_eq!(refunding.drive().await.pop(), Some(expected.clone()), "{method}: {answers:?}");
            let [(charges, refunds), standby] = refunding.money().await;
            assert_eq!((charges, standby), (refunds, (0, 0)), "{method}: {answers:?}");
        })
        .await;
    }
}

/// A charge that the saga gave up runs beside the refund. In either order, the shop keeps no money.
#[tokio::test]
async fn a_charge_beside_the_refund_keeps_nothing() {
    for method in ["sandbox:charged-at-once", "sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost", "sandbox:declined"] {
        for started in [false, true] {
            let refunding = Refunding::at(Stage::Pending, method).await;
            if started {
                let _ = refunding.charge(0).await;
            }
            let (charged, refunded) = tokio::join!(refunding.charge(0), refunding.on("ok"));
            assert!(refunding.drive().await.pop().unwrap().is_ok());
            let _ = refunding.charge(0).await;
            let [(charges, refunds), _] = refunding.money().await;
            assert!(charges == refunds && charges <= 1, "{method}: {charges} {refunds} after {charged:?} and {refunded:?}");
        }
    }
}
