//! `capture-payment` on a real DynamoDB engine and the sandbox gateways: authorised money moves once, and only if no run undoes
//! the attempt.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use capture_payment::CapturePayment;
use domain::{AttemptStatus, OrderStatus};
use parts::FromParts;
use refund_payment::RefundPayment;
use serde_json::json;
use test_aws::{Calls, Fault, every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, at, cannot_read, changes_nothing, cut_off_and_again, error, input, input_of, on, run};

fn captured() -> Answer {
    Ok(json!({"provider_reference": format!("sandbox_{}", Buyer::first().key(1))}))
}

/// A sold order whose money is authorised by this method.
async fn authorised_by(method: &str) -> (Shop, Buyer) {
    let (shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
    shop.bring(&buyer, Stage::Uncaptured).await;
    (shop, buyer)
}

#[tokio::test]
async fn what_is_authorised_is_captured_once_and_written_down() {
    let (shop, buyer) = at(Stage::Uncaptured).await;
    for _ in 0..3 {
        assert_eq!(on::<CapturePayment>(&shop, "capture-payment/ok").await, captured());
    }
    assert_eq!(shop.money(&buyer, 1, "sandbox").await, (1, 0));
    let attempt = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap();
    assert_eq!((attempt.status, attempt.confirmed), (AttemptStatus::Charged, Some(buyer.amount())));
    assert_eq!(shop.order(&buyer).await.status, OrderStatus::Pending, "only complete-order says paid");
}

#[tokio::test]
async fn what_was_charged_at_once_or_is_bought_needs_no_capture() {
    for stage in [Stage::Charged, Stage::Sold, Stage::Mischarged, Stage::Completed] {
        let (shop, _) = at(stage).await;
        changes_nothing::<CapturePayment>(&shop, input("capture-payment/ok"), captured(), stage).await;
    }
}

#[tokio::test]
async fn only_an_authorised_attempt_is_captured() {
    for stage in Stage::ALL {
        let is_authorised = matches!(stage, Stage::Authorised | Stage::Uncaptured);
        let is_charged = matches!(stage, Stage::Charged | Stage::Sold | Stage::Mischarged | Stage::Completed);
        if !is_authorised && !is_charged {
            let (shop, _) = at(stage).await;
            changes_nothing::<CapturePayment>(&shop, input("capture-payment/ok"), error("OrderNotPending"), stage).await;
        }
    }
}

#[tokio::test]
async fn a_refused_capture_moves_no_money_and_is_no_unknown_outcome() {
    let (shop, buyer) = authorised_by("sandbox:capture-refused").await;
    changes_nothing::<CapturePayment>(&shop, input("capture-payment/ok"), error("CaptureRefused"), "refused").await;
    assert_eq!(shop.money(&buyer, 1, "sandbox").await, (0, 0));
}

#[tokio::test]
async fn a_capture_whose_answer_is_lost_is_found_by_the_next_run() {
    let (shop, buyer) = authorised_by("sandbox:captured-but-answer-lost").await;
    assert_eq!(on::<CapturePayment>(&shop, "capture-payment/ok").await, error("CaptureOutcomeUnknown"));
    assert_eq!(shop.attempt_status(&buyer, 1).await, Some(AttemptStatus::Authorised));
    for _ in 0..2 {
        assert_eq!(on::<CapturePayment>(&shop, "capture-payment/ok").await, captured());
    }
    assert_eq!(shop.money(&buyer, 1, "sandbox").await, (1, 0));
}

#[tokio::test]
async fn a_gateway_that_is_no_longer_configured_leaves_the_outcome_unknown() {
    let (shop, buyer) = at(Stage::Uncaptured).await;
    let mut parts = shop.parts_with(&Calls::new(), &[("PAYMENT_GATEWAYS", "sandbox-standby")]);
    let function: CapturePayment = FromParts::wire(&mut parts).unwrap();
    let answer = test_shop::task(&function, input("capture-payment/ok")).await;
    assert_eq!((answer, shop.money(&buyer, 1, "sandbox").await), (error("CaptureOutcomeUnknown"), (0, 0)));
}

/// Another run undoes the attempt while this run hangs. Whichever comes first, the shop keeps no money of an undone attempt.
#[tokio::test]
async fn a_capture_beside_an_undoing_run_keeps_nothing() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Uncaptured).await;
        let capture = run::<CapturePayment>(&shop, &interleaving.calls, input("capture-payment/ok"));
        let calls = Calls::new();
        let undo = run::<RefundPayment>(&shop, &calls, input("refund-payment/ok"));
        let (answer, undone) = interleaving.run(capture, undo).await;
        let (charges, refunds) = shop.money(&buyer, 1, "sandbox").await;
        assert_eq!((charges, undone), (refunds, Ok(json!({"refunded": charges == 1}))), "{answer:?}");
        assert!(answer != captured() || charges == 1, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn two_captures_that_meet_move_the_money_once() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Uncaptured).await;
        let calls = Calls::new();
        let one = run::<CapturePayment>(&shop, &interleaving.calls, input("capture-payment/ok"));
        let answers = interleaving.run(one, run::<CapturePayment>(&shop, &calls, input("capture-payment/ok"))).await;
        // The run that loses the write tries again.
        assert!([captured(), error("StoreUnavailable")].contains(&answers.0), "{answers:?}");
        assert_eq!(on::<CapturePayment>(&shop, "capture-payment/ok").await, captured());
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_capture_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (shop, buyer) = at(Stage::Uncaptured).await;
        let (died, again) = cut_off_and_again::<CapturePayment>(&shop, calls, "capture-payment/ok").await;
        assert_eq!(again, captured(), "after {died:?}");
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, (1, 0), "after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_captured() {
    let (shop, _) = at(Stage::Uncaptured).await;
    for input in [input("capture-payment/unknown-order"), input_of(Buyer::second().shopper.as_str(), "capture-payment/ok")] {
        changes_nothing::<CapturePayment>(&shop, input.clone(), error("OrderNotPending"), input).await;
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    let events = ["capture-payment/malformed", "capture-payment/missing-shopper", "capture-payment/wrong-type"];
    cannot_read::<CapturePayment>(&at(Stage::Uncaptured).await.0, &events).await;
}

/// A fault on the order or the attempt is the store's. A fault after them is the gateway's.
#[tokio::test]
async fn who_does_not_answer_is_asked_again() {
    for (operation, fault, expected) in [
        ("GetItem", Fault::LostRequest, "StoreUnavailable"),
        ("GetItem", Fault::Denied, "StoreFailed"),
        ("UpdateItem", Fault::ServerError, "CaptureOutcomeUnknown"),
        ("UpdateItem", Fault::Denied, "CaptureOutcomeUnknown"),
    ] {
        let (shop, buyer) = at(Stage::Uncaptured).await;
        let calls = Calls::new();
        calls.fail_always(operation, fault);
        let answers = cut_off_and_again::<CapturePayment>(&shop, &calls, "capture-payment/ok").await;
        assert_eq!(answers, (error(expected), captured()), "{operation} {fault:?}");
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, (1, 0), "{operation} {fault:?}");
    }
}
