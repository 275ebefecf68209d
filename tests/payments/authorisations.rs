//! An authorisation reserves money. A capture moves it once; a refund voids it, or gives the captured money back.

use domain::{CaptureOutcome, ChargeOutcome, RefundOutcome};
use payments::{LookUp, PaymentGateway, Sandbox};
use store::EntryState;
use test_aws::{Fault, every_crash, every_interleaving};
use test_shop::price;

use crate::{Bank, payment};

const CAPTURED: fn() -> CaptureOutcome = || CaptureOutcome::Captured { confirmed: price() };

fn is_refused(outcome: &CaptureOutcome) -> bool {
    matches!(outcome, CaptureOutcome::Refused { .. })
}

#[tokio::test]
async fn an_authorisation_moves_no_money_until_it_is_captured_once() {
    let bank = Bank::open().await;
    for _ in 0..2 {
        assert_eq!(bank.charge("sandbox:ok").await, bank.authorised());
    }
    assert_eq!((bank.money().await, bank.look_up().await), ((0, 0), LookUp::Found(bank.authorised())));
    for _ in 0..3 {
        assert_eq!(bank.capture().await, CAPTURED());
    }
    assert_eq!((bank.money().await, bank.look_up().await), ((1, 0), LookUp::Found(bank.charged(price()))));
}

#[tokio::test]
async fn an_authorisation_whose_answer_is_lost_is_found() {
    let bank = Bank::open().await;
    assert_eq!(bank.charge("sandbox:authorised-but-answer-lost").await, ChargeOutcome::Unknown);
    assert_eq!(bank.look_up().await, LookUp::Found(bank.authorised()));
    assert_eq!(bank.charge("sandbox:authorised-but-answer-lost").await, bank.authorised());
    assert_eq!((bank.capture().await, bank.money().await), (CAPTURED(), (1, 0)));
}

#[tokio::test]
async fn a_capture_whose_answer_is_lost_has_been_made() {
    let bank = Bank::open().await;
    bank.charge("sandbox:captured-but-answer-lost").await;
    assert_eq!((bank.capture().await, bank.money().await), (CaptureOutcome::Unknown, (1, 0)));
    assert_eq!((bank.capture().await, bank.money().await), (CAPTURED(), (1, 0)));
}

#[tokio::test]
async fn a_refused_capture_leaves_the_authorisation_to_be_voided() {
    let bank = Bank::open().await;
    bank.charge("sandbox:capture-refused").await;
    for _ in 0..2 {
        assert!(is_refused(&bank.capture().await));
    }
    assert_eq!((bank.refund().await, bank.money().await), (RefundOutcome::Voided, (0, 0)));
}

#[tokio::test]
async fn nothing_is_captured_that_is_not_authorised() {
    let bank = Bank::open().await;
    assert!(is_refused(&bank.capture().await), "nothing was asked for");
    for (method, undone) in [("sandbox:declined", false), ("sandbox:timeout-then-ok", false), ("sandbox:ok", true)] {
        let bank = Bank::open().await;
        bank.charge(method).await;
        if undone {
            assert_eq!(bank.refund().await, RefundOutcome::Voided);
        }
        assert!(is_refused(&bank.capture().await), "{method}");
        assert_eq!(bank.money().await, (0, 0), "{method}");
    }
}

#[tokio::test]
async fn what_was_captured_is_given_back_once_and_not_captured_again() {
    let bank = Bank::open().await;
    bank.charge("sandbox:ok").await;
    bank.capture().await;
    for _ in 0..2 {
        assert_eq!(bank.refund().await, RefundOutcome::Refunded);
    }
    assert!(is_refused(&bank.capture().await));
    assert_eq!(bank.money().await, (1, 1));
}

/// In every order, the money of an undone payment is back.
#[tokio::test]
async fn a_capture_and_a_void_that_meet_keep_nothing() {
    every_interleaving(async |interleaving| {
        let bank = Bank::with_calls("sandbox", &interleaving.calls).await;
        let other = Sandbox::new(bank.sandbox.name().clone(), bank.shop.uncounted().books());
        let payment = payment(price(), "sandbox:ok");
        other.charge(&payment).await;
        let (captured, mut undone) = interleaving.run(bank.capture(), other.refund(&payment)).await;
        if undone == RefundOutcome::Unknown {
            undone = other.refund(&payment).await;
        }
        let (charges, refunds) = bank.money().await;
        assert_eq!(charges, refunds, "{captured:?} beside {undone:?}");
        // A capture whose money is back already may also find nothing to capture.
        assert!(undone != RefundOutcome::Voided || is_refused(&captured), "{captured:?} beside {undone:?}");
        assert!(captured != CAPTURED() || charges == 1, "{captured:?} beside {undone:?}");
    })
    .await;
}

#[tokio::test]
async fn a_capture_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let bank = Bank::open().await;
        bank.charge("sandbox:ok").await;
        let dying = Sandbox::new(bank.sandbox.name().clone(), bank.shop.parts(calls).books());
        let died = dying.capture(&payment(price(), "sandbox:ok")).await;
        assert_eq!(bank.capture().await, CAPTURED(), "after {died:?}");
        assert_eq!(bank.money().await, (1, 0), "after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn books_that_do_not_answer_leave_a_capture_unknown() {
    for operation in ["GetItem", "UpdateItem"] {
        for fault in [Fault::LostRequest, Fault::LostAnswer, Fault::ServerError, Fault::Denied] {
            let bank = Bank::open().await;
            bank.charge("sandbox:ok").await;
            bank.calls.fail_always(operation, fault);
            assert_eq!(bank.capture().await, CaptureOutcome::Unknown, "{operation} {fault:?}");
            bank.calls.heal();
            assert_eq!((bank.capture().await, bank.money().await), (CAPTURED(), (1, 0)), "{operation} {fault:?}");
            assert_eq!(bank.entry().await.unwrap().state, EntryState::Charged);
        }
    }
}
