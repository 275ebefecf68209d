//! The outcome of a charge with each payment method, of the same charge again, and of its look-up.

use domain::ChargeOutcome;
use payments::{LookUp, PaymentGateway, Sandbox};
use test_aws::{Fault, every_crash, every_interleaving};
use test_shop::price;

use crate::{Bank, declined, payment, usd};

#[tokio::test]
async fn a_key_that_nobody_used_is_not_found() {
    let bank = Bank::open().await;
    assert_eq!(bank.look_up().await, LookUp::NotFound);
    assert_eq!(bank.entry().await, None, "looking does not write");
}

#[tokio::test]
async fn a_charge_is_made_once_and_answered_the_same_again() {
    let bank = Bank::open().await;
    for _ in 0..3 {
        assert_eq!(bank.charge("sandbox:charged-at-once").await, bank.charged(price()));
    }
    assert_eq!(bank.money().await, (1, 0));
    assert_eq!(bank.look_up().await, LookUp::Found(bank.charged(price())));
}

#[tokio::test]
async fn a_decline_charges_nothing_and_stays() {
    for (method, reason) in [
        ("sandbox:declined", "The card was declined."),
        ("sandbox:nonsense", "The payment method is not known."),
        ("stripe:pm_1", "The payment method is not known."),
    ] {
        let bank = Bank::open().await;
        for _ in 0..2 {
            assert_eq!(bank.charge(method).await, declined(reason), "{method}");
        }
        assert_eq!(bank.look_up().await, LookUp::Found(declined(reason)), "{method}");
        assert_eq!(bank.money().await, (0, 0), "{method}");
    }
}

/// The first call ends in `first` and charges nothing; the second one charges, and later ones find its charge.
async fn charges_from_the_second_call_on(method: &str, first: ChargeOutcome) {
    let bank = Bank::open().await;
    assert_eq!(bank.charge(method).await, first);
    assert_eq!((bank.money().await, bank.look_up().await), ((0, 0), LookUp::NotFound));
    for _ in 0..2 {
        assert_eq!(bank.charge(method).await, bank.charged(price()));
    }
    assert_eq!((bank.money().await, bank.look_up().await), ((1, 0), LookUp::Found(bank.charged(price()))));
}

#[tokio::test]
async fn a_charge_that_timed_out_has_not_been_made_until_it_is_asked_for_again() {
    charges_from_the_second_call_on("sandbox:timeout-then-ok", ChargeOutcome::Unknown).await;
}

#[tokio::test]
async fn a_charge_whose_answer_is_lost_has_been_made() {
    let bank = Bank::open().await;
    assert_eq!(bank.charge("sandbox:charged-but-answer-lost").await, ChargeOutcome::Unknown);
    assert_eq!((bank.money().await, bank.look_up().await), ((1, 0), LookUp::Found(bank.charged(price()))));
    assert_eq!(bank.charge("sandbox:charged-but-answer-lost").await, bank.charged(price()));
    assert_eq!(bank.money().await, (1, 0));
}

#[tokio::test]
async fn a_gateway_that_is_down_certainly_has_not_charged() {
    for (gateway, method) in
        [("sandbox", "sandbox:down"), ("sandbox-standby", "sandbox:down"), ("sandbox", "sandbox:primary-down")]
    {
        let bank = Bank::called(gateway).await;
        for _ in 0..2 {
            assert_eq!(bank.charge(method).await, ChargeOutcome::Unavailable, "{gateway} {method}");
        }
        assert_eq!((bank.entry().await, bank.calls.total()), (None, 0), "{gateway} {method}");
    }
    let standby = Bank::called("sandbox-standby").await;
    assert_eq!(standby.charge("sandbox:primary-down").await, standby.charged(price()), "only the primary is down");
}

#[tokio::test]
async fn a_gateway_that_was_down_at_first_charges_when_it_is_asked_again() {
    charges_from_the_second_call_on("sandbox:down-at-first", ChargeOutcome::Unavailable).await;
}

/// A call that gets "down" has not charged. The last call reports what the books say.
#[tokio::test]
async fn a_gateway_that_is_down_at_first_says_so_before_it_charges_and_never_after() {
    every_interleaving(async |interleaving| {
        let bank = Bank::with_calls("sandbox", &interleaving.calls).await;
        let other = Sandbox::new(bank.sandbox.name().clone(), bank.shop.uncounted().books());
        let payment = payment(price(), "sandbox:down-at-first");
        let twice = async {
            let first = other.charge(&payment).await;
            (first, other.charge(&payment).await)
        };
        let (hung, (first, second)) = interleaving.run(bank.charge("sandbox:down-at-first"), twice).await;
        // If no request hangs, `twice` runs after the other charge.
        assert!([ChargeOutcome::Unavailable, bank.charged(price())].contains(&first), "{first:?}");
        assert_eq!(second, bank.charged(price()));
        assert!(hung == bank.charged(price()) || first == bank.charged(price()), "{hung:?}, {first:?}");
        assert_eq!(bank.money().await, (1, 0));
    })
    .await;
}

#[tokio::test]
async fn another_amount_than_asked_for_is_confirmed_as_such() {
    for method in ["sandbox:wrong-amount", "sandbox:refund-fails-once"] {
        let bank = Bank::open().await;
        for _ in 0..2 {
            assert_eq!(bank.charge(method).await, bank.charged(usd(99_899)), "{method}");
        }
        assert_eq!(bank.look_up().await, LookUp::Found(bank.charged(usd(99_899))), "{method}");
        let least = Bank::open().await;
        assert_eq!(least.charge_of(usd(1), method).await, least.charged(usd(2)), "{method}: nothing costs 0");
    }
}

#[tokio::test]
async fn a_key_with_other_parameters_is_not_answered() {
    let bank = Bank::open().await;
    bank.charge("sandbox:charged-at-once").await;
    assert_eq!(bank.charge_of(usd(99_901), "sandbox:charged-at-once").await, ChargeOutcome::Unknown, "another amount");
    assert_eq!(bank.charge("sandbox:declined").await, ChargeOutcome::Unknown, "another payment method");
    let euros = domain::Money::new(99_900, "EUR".parse().unwrap()).unwrap();
    assert_eq!(bank.charge_of(euros, "sandbox:charged-at-once").await, ChargeOutcome::Unknown, "another currency");
    assert_eq!(bank.charge("sandbox:charged-at-once").await, bank.charged(price()), "the same");
    assert_eq!(bank.money().await, (1, 0));
}

#[tokio::test]
async fn books_that_do_not_answer_leave_everything_unknown() {
    for operation in ["GetItem", "PutItem"] {
        for fault in [Fault::LostRequest, Fault::ServerError, Fault::Denied] {
            let bank = Bank::open().await;
            bank.calls.fail_always(operation, fault);
            assert_eq!(bank.charge("sandbox:charged-at-once").await, ChargeOutcome::Unknown, "{operation} {fault:?}");
            assert_eq!(bank.money().await, (0, 0), "{operation} {fault:?}");
        }
    }
    let bank = Bank::open().await;
    bank.charge("sandbox:charged-at-once").await;
    bank.calls.fail_always("GetItem", Fault::LostAnswer);
    assert_eq!(bank.look_up().await, LookUp::Unknown);
}

#[tokio::test]
async fn a_charge_that_was_cut_off_is_made_once() {
    for method in ["sandbox:charged-at-once", "sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost"] {
        every_crash(async |calls| {
            let bank = Bank::with_calls("sandbox", calls).await;
            bank.charge(method).await;
            calls.heal();
            let mut last = bank.charge(method).await;
            if last == ChargeOutcome::Unknown {
                last = bank.charge(method).await;
            }
            assert_eq!(last, bank.charged(price()), "{method}");
            assert_eq!(bank.money().await, (1, 0), "{method}");
        })
        .await;
    }
}

#[tokio::test]
async fn two_charges_at_once_are_one() {
    for method in ["sandbox:charged-at-once", "sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost"] {
        let bank = Bank::open().await;
        tokio::join!(bank.charge(method), bank.charge(method));
        assert_eq!(bank.charge(method).await, bank.charged(price()), "{method}");
        assert_eq!(bank.money().await, (1, 0), "{method}");
    }
}
