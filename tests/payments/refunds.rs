//! A refund gives back a charge once. It makes a key that was not charged impossible to charge.

use domain::{ChargeOutcome, PartOutcome, RefundOutcome};
use payments::{LookUp, PaymentGateway, Sandbox};
use store::EntryState;
use test_aws::{Fault, every_crash};
use test_shop::price;

use crate::{Bank, declined, part, payment};

const CANCELLED: &str = "The payment was cancelled.";

#[tokio::test]
async fn what_was_charged_is_given_back_once() {
    for method in ["sandbox:charged-at-once", "sandbox:wrong-amount", "sandbox:charged-but-answer-lost"] {
        let bank = Bank::open().await;
        bank.charge(method).await;
        for _ in 0..3 {
            assert_eq!(bank.refund().await, RefundOutcome::Refunded, "{method}");
        }
        assert_eq!(bank.money().await, (1, 1), "{method}");
    }
}

#[tokio::test]
async fn what_was_given_back_is_not_charged_again() {
    let bank = Bank::open().await;
    bank.charge("sandbox:charged-at-once").await;
    bank.refund().await;
    assert_eq!(bank.charge("sandbox:charged-at-once").await, declined(CANCELLED));
    assert_eq!(bank.look_up().await, LookUp::Found(declined(CANCELLED)));
    assert_eq!(bank.money().await, (1, 1));
}

#[tokio::test]
async fn a_refund_fails_once_when_it_is_asked_to() {
    let bank = Bank::open().await;
    bank.charge("sandbox:refund-fails-once").await;
    assert_eq!(bank.refund().await, RefundOutcome::Unknown);
    assert_eq!(bank.money().await, (1, 0));
    for _ in 0..2 {
        assert_eq!(bank.refund().await, RefundOutcome::Refunded);
    }
    assert_eq!(bank.money().await, (1, 1));
}

/// The key was never charged, its charge timed out, or its charge was declined.
#[tokio::test]
async fn what_was_not_charged_never_will_be() {
    for before in [None, Some("sandbox:timeout-then-ok"), Some("sandbox:declined")] {
        let bank = Bank::open().await;
        if let Some(method) = before {
            bank.charge(method).await;
        }
        for _ in 0..2 {
            assert_eq!(bank.refund().await, RefundOutcome::Voided, "{before:?}");
        }
        for method in
            ["sandbox:charged-at-once", "sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost", "sandbox:declined"]
        {
            assert_eq!(bank.charge(method).await, declined(CANCELLED), "{before:?} then {method}");
        }
        assert_eq!(bank.look_up().await, LookUp::Found(declined(CANCELLED)), "{before:?}");
        assert_eq!(bank.money().await, (0, 0), "{before:?}");
        assert_eq!(bank.entry().await.unwrap().state, EntryState::Voided, "{before:?}");
    }
}

#[tokio::test]
async fn a_gateway_without_an_answer_has_confirmed_no_refund() {
    for (operation, fault) in
        [("GetItem", Fault::LostRequest), ("UpdateItem", Fault::LostRequest), ("UpdateItem", Fault::LostAnswer)]
    {
        let bank = Bank::open().await;
        bank.charge("sandbox:charged-at-once").await;
        bank.calls.fail_always(operation, fault);
        assert_eq!(bank.refund().await, RefundOutcome::Unknown, "{operation} {fault:?}");
        bank.calls.heal();
        assert_eq!(bank.refund().await, RefundOutcome::Refunded, "{operation} {fault:?}");
        assert_eq!(bank.money().await, (1, 1), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn a_refund_that_was_cut_off_is_made_once() {
    for (method, expected, money) in [
        ("sandbox:charged-at-once", RefundOutcome::Refunded, (1, 1)),
        ("sandbox:refund-fails-once", RefundOutcome::Refunded, (1, 1)),
        ("sandbox:timeout-then-ok", RefundOutcome::Voided, (0, 0)),
    ] {
        every_crash(async |calls| {
            let bank = Bank::open().await;
            bank.charge(method).await;
            let dying = Sandbox::new(bank.sandbox.name().clone(), bank.shop.parts(calls).books());
            let died = dying.refund(&payment(price(), method)).await;
            let mut last = bank.refund().await;
            if last == RefundOutcome::Unknown {
                last = bank.refund().await;
            }
            assert_eq!(last, expected, "{method} after {died:?}");
            assert_eq!(bank.money().await, money, "{method} after {died:?}");
        })
        .await;
    }
}

/// The shop keeps no money, whether the charge or the refund is first.
#[tokio::test]
async fn a_charge_and_a_refund_at_once_keep_nothing() {
    for method in ["sandbox:charged-at-once", "sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost"] {
        let bank = Bank::open().await;
        let (charged, refunded) = tokio::join!(bank.charge(method), bank.refund());
        let last = bank.refund().await;
        assert_ne!(last, RefundOutcome::Unknown);
        assert_eq!(bank.charge(method).await, declined(CANCELLED), "{method}");
        let (charges, refunds) = bank.money().await;
        assert_eq!(charges, refunds, "{method}: {charged:?} beside {refunded:?}");
        if refunded == RefundOutcome::Voided {
            assert!(!matches!(charged, ChargeOutcome::Charged { .. }), "{method}: a void that has charged");
        }
    }
}

fn refused(reason: &str) -> PartOutcome {
    PartOutcome::Refused { reason: reason.to_owned() }
}

#[tokio::test]
async fn a_part_goes_back_once_for_each_number_and_the_parts_never_exceed_the_charge() {
    let (bank, paid) = (Bank::open().await, payment(price(), "sandbox:ok"));
    assert_eq!(bank.sandbox.refund_part(&paid, &part(1, 1)).await, refused("nothing was charged"));
    bank.charge("sandbox:charged-at-once").await;
    let too_much = refused("it is more than is left of the charge");
    for (number, amount_minor, expected, back) in [
        (1, 900, PartOutcome::Refunded, 900),
        (1, 900, PartOutcome::Refunded, 900),
        (2, 99_001, too_much.clone(), 900),
        (3, 99_000, PartOutcome::Refunded, 99_900),
        (3, 99_000, PartOutcome::Refunded, 99_900),
        (4, 1, too_much, 99_900),
    ] {
        assert_eq!(bank.sandbox.refund_part(&paid, &part(number, amount_minor)).await, expected, "{number}");
        assert_eq!(bank.entry().await.unwrap().refunded_minor, back, "{number}");
    }
    assert_eq!((bank.money().await, bank.entry().await.unwrap().state), ((1, 1), EntryState::Refunded));
}

#[tokio::test]
async fn a_part_that_was_cut_off_goes_back_once() {
    every_crash(async |calls| {
        let (bank, paid) = (Bank::open().await, payment(price(), "sandbox:ok"));
        bank.charge("sandbox:charged-at-once").await;
        let dies = Sandbox::new(bank.sandbox.name().clone(), bank.shop.parts(calls).books());
        let first = dies.refund_part(&paid, &part(1, 900)).await;
        for _ in 0..2 {
            assert_eq!(bank.sandbox.refund_part(&paid, &part(1, 900)).await, PartOutcome::Refunded, "{first:?}");
            assert_eq!(bank.entry().await.unwrap().refunded_minor, 900, "{first:?}");
        }
    })
    .await;
}
