//! Stripe's gateway against a fake Stripe that shares no code with it: every payment method, every answer that is lost, and
//! every key that Stripe has forgotten. The money is judged by the fake's own books.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{Action, CaptureOutcome, ChargeOutcome, GatewayName, PartOutcome, RefundOutcome, SignedDuration};
use fake_stripe::{FakeStripe, Options, Status};
use payments::{
    LookUp, OpenOutcome, Payment, PaymentGateway,
    stripe::{StripeClient, StripeGateway},
};
use test_aws::FixedClock;
use test_shop::{Buyer, NOW, price};

use crate::{AskedBySaga, wire};

/// A fake Stripe in this process, its account's gateway, and the clock of both.
struct Bank {
    fake: Arc<Mutex<FakeStripe>>,
    clock: FixedClock,
    gateway: StripeGateway,
}

impl AskedBySaga for Bank {
    fn asked(&self) -> (&dyn PaymentGateway, &FixedClock) {
        (&self.gateway, &self.clock)
    }
}

impl Bank {
    fn open() -> Self {
        let (fake, clock) = (Arc::new(Mutex::new(FakeStripe::new(Options::default()))), FixedClock::at(NOW));
        let client = StripeClient::new(wire::to(&fake, &clock), "http://stripe.test", crate::stripe_keys("sk_test_local"));
        let gateway = StripeGateway::new(GatewayName("stripe".to_owned()), client, Arc::new(clock.clone()));
        Self { fake, clock, gateway }
    }

    /// Orders a fault for the next request to this path.
    fn goes_wrong(&self, path: &str, fault: &str, times: u32) {
        self.fake.lock().unwrap().faults().add(wire::fault("POST", path, fault, times));
    }

    /// What an attempt's item would contain after `open`: the payment with its id.
    async fn opened(&self, method: &str) -> Payment {
        let payment = payment(method);
        match self.gateway.open(&payment).await {
            OpenOutcome::ById(id) => Payment { provider_id: Some(id), ..payment },
            other @ (OpenOutcome::ByKey | OpenOutcome::Not(_)) => panic!("{method}: {other:?}"),
        }
    }

    /// Charges as `charge-payment` does, until the outcome is known.
    async fn charge(&self, method: &str) -> (Payment, ChargeOutcome) {
        let mut payment = payment(method);
        for _ in 0..9 {
            let outcome = self.charge_once(&mut payment).await;
            if ![ChargeOutcome::Unknown, ChargeOutcome::Pending, ChargeOutcome::Busy].contains(&outcome) {
                return (payment, outcome);
            }
            self.clock.advance_seconds(10);
        }
        (payment, ChargeOutcome::Unknown)
    }

    /// Reserved, captured and refunded, of all intents together, in minor units.
    fn money(&self) -> (i64, i64, i64) {
        let payments = self.fake.lock().unwrap().payments();
        let sum = |of: fn(&fake_stripe::Payment) -> i64| payments.iter().map(of).sum();
        (sum(|it| it.capturable_minor), sum(|it| it.received_minor), sum(|it| it.refunded_minor))
    }

    /// The shopper passes 3-D Secure, or does not.
    fn authenticate(&self, payment: &Payment, passed: bool) -> Option<Status> {
        let now = domain::Clock::now(&self.clock);
        self.fake.lock().unwrap().authenticate(payment.provider_id.as_ref().unwrap(), passed, now)
    }

    fn statuses(&self) -> Vec<Status> {
        self.fake.lock().unwrap().payments().iter().map(|payment| payment.status).collect()
    }
}

fn payment(method: &str) -> Payment {
    Payment { method: format!("stripe:{method}").parse().unwrap(), ..crate::payment(price(), "sandbox:ok") }
}

const PRICE: i64 = 99_900;
const CAPTURED: fn() -> CaptureOutcome = || CaptureOutcome::Captured { confirmed: price() };

fn authorised(payment: &Payment) -> ChargeOutcome {
    ChargeOutcome::Authorised { reference: payment.provider_id.clone().unwrap() }
}

#[tokio::test]
async fn a_card_is_authorised_then_captured_once() {
    let bank = Bank::open();
    let (payment, outcome) = bank.charge("pm_card_visa").await;
    assert_eq!((outcome, bank.money()), (authorised(&payment), (PRICE, 0, 0)));
    for _ in 0..2 {
        assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (authorised(&payment), (PRICE, 0, 0)));
    }
    for _ in 0..2 {
        assert_eq!((bank.gateway.capture(&payment).await, bank.money()), (CAPTURED(), (0, PRICE, 0)));
    }
    let charged = ChargeOutcome::Charged { reference: payment.provider_id.clone().unwrap(), confirmed: price() };
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(charged));
    let notes = &bank.fake.lock().unwrap().payments()[0].metadata;
    assert_eq!((notes["order_id"].as_str(), notes["attempt"].as_str()), (Buyer::first().id.to_string().as_str(), "1"));
}

#[tokio::test]
async fn declines_say_why_and_reserve_nothing() {
    for (method, reason) in [
        ("pm_card_chargeDeclined", "The card was declined."),
        ("pm_card_chargeDeclinedInsufficientFunds", "The card has insufficient funds."),
        ("pm_card_chargeDeclinedExpiredCard", "The card has expired."),
        ("pm_card_chargeDeclinedStolenCard", "The card was declined."),
        ("pm_no_such_card", "This payment method cannot be used."),
    ] {
        let bank = Bank::open();
        let (payment, outcome) = bank.charge(method).await;
        assert_eq!((outcome.clone(), bank.money()), (crate::declined(reason), (0, 0, 0)), "{method}");
        if payment.provider_id.is_some() {
            assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(outcome), "{method}");
        }
        assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)), "{method}");
    }
}

#[tokio::test]
async fn a_card_that_has_to_be_confirmed_by_its_owner_waits_until_it_is_abandoned() {
    let bank = Bank::open();
    let (payment, outcome) = bank.charge("pm_card_threeDSecure2Required").await;
    assert!(matches!(outcome, ChargeOutcome::RequiresAction(Action::Stripe { .. })), "{outcome:?}");
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(outcome.clone()));
    assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (outcome, (0, 0, 0)), "the same action again");
    for _ in 0..2 {
        assert_eq!(bank.gateway.abandon(&payment).await, crate::declined("The payment was cancelled."));
    }
    assert_eq!((bank.statuses(), bank.money()), (vec![Status::Canceled], (0, 0, 0)));
    assert_eq!(bank.authenticate(&payment, true), None, "the shopper comes too late to pay");
    assert_eq!(bank.gateway.charge(&payment).await, crate::declined("The payment was cancelled."));
    assert_eq!(bank.money(), (0, 0, 0));
}

#[tokio::test]
async fn a_card_that_its_owner_confirmed_is_authorised_also_if_it_is_abandoned_then() {
    for abandons in [false, true] {
        let bank = Bank::open();
        let (payment, _) = bank.charge("pm_card_threeDSecure2Required").await;
        assert_eq!(bank.authenticate(&payment, true), Some(Status::RequiresCapture));
        let outcome = if abandons { bank.gateway.abandon(&payment).await } else { bank.gateway.charge(&payment).await };
        assert_eq!((outcome, bank.money()), (authorised(&payment), (PRICE, 0, 0)));
        assert_eq!((bank.capture(&payment).await, bank.money()), (CAPTURED(), (0, PRICE, 0)));
        assert!(matches!(bank.gateway.abandon(&payment).await, ChargeOutcome::Charged { .. }));
    }
}

#[tokio::test]
async fn a_card_that_its_owner_did_not_confirm_is_declined() {
    let bank = Bank::open();
    let (payment, _) = bank.charge("pm_card_threeDSecure2Required").await;
    assert_eq!(bank.authenticate(&payment, false), Some(Status::RequiresPaymentMethod));
    let outcome = crate::declined("The card's owner did not confirm the payment.");
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(outcome));
    assert!(matches!(bank.gateway.abandon(&payment).await, ChargeOutcome::Declined { .. }));
    assert_eq!((bank.statuses(), bank.money()), (vec![Status::Canceled], (0, 0, 0)));
}

#[tokio::test]
async fn a_method_that_cannot_be_authorised_is_charged_when_it_has_settled() {
    for (method, pays) in [("pm_usBankAccount_success", true), ("pm_usBankAccount_insufficientFunds", false)] {
        let bank = Bank::open();
        let (payment, outcome) = bank.charge(method).await;
        let reference = payment.provider_id.clone().unwrap();
        if pays {
            assert_eq!(outcome, ChargeOutcome::Charged { reference, confirmed: price() });
            assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Refunded, (0, PRICE, PRICE)));
        } else {
            assert!(matches!(outcome, ChargeOutcome::Declined { .. }), "{outcome:?}");
        }
    }
    let bank = Bank::open();
    let (payment, outcome) = bank.charge("pm_usBankAccount_processing").await;
    assert_eq!((outcome, bank.undo(&payment).await), (ChargeOutcome::Unknown, RefundOutcome::Unknown), "neither paid nor over");
}

#[tokio::test]
async fn a_refused_capture_moves_no_money() {
    let bank = Bank::open();
    let (payment, _) = bank.charge("pm_fake_captureDeclined").await;
    assert!(matches!(bank.capture(&payment).await, CaptureOutcome::Refused { .. }));
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
}

#[tokio::test]
async fn an_authorisation_that_has_expired_is_not_captured() {
    let bank = Bank::open();
    let (payment, _) = bank.charge("pm_card_visa").await;
    bank.clock.advance(SignedDuration::from_hours(8 * 24));
    assert!(matches!(bank.capture(&payment).await, CaptureOutcome::Refused { .. }));
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
}

#[tokio::test]
async fn what_is_undone_stays_undone() {
    for captures in [false, true] {
        let bank = Bank::open();
        let (payment, _) = bank.charge("pm_card_visa").await;
        if captures {
            bank.capture(&payment).await;
        }
        let expected = if captures { RefundOutcome::Refunded } else { RefundOutcome::Voided };
        for _ in 0..3 {
            assert_eq!(bank.undo(&payment).await, expected);
        }
        assert!(matches!(bank.capture(&payment).await, CaptureOutcome::Refused { .. } | CaptureOutcome::Captured { .. }));
        assert_eq!(bank.money(), if captures { (0, PRICE, PRICE) } else { (0, 0, 0) });
    }
}

/// A run that was about to confirm when another run undid the attempt comes late.
#[tokio::test]
async fn an_intent_that_was_undone_before_it_was_confirmed_is_never_charged() {
    let bank = Bank::open();
    let payment = bank.opened("pm_card_visa").await;
    assert_eq!(bank.undo(&payment).await, RefundOutcome::Voided);
    assert_eq!(bank.gateway.charge(&payment).await, crate::declined("The payment was cancelled."));
    assert_eq!(bank.money(), (0, 0, 0));
}

#[tokio::test]
async fn a_refund_that_fails_is_made_again() {
    let bank = Bank::open();
    let (payment, _) = bank.charge("pm_card_refundFail").await;
    bank.capture(&payment).await;
    assert_eq!(bank.undo(&payment).await, RefundOutcome::Refunded, "Stripe has accepted it");
    bank.clock.advance_seconds(60);
    bank.gateway.look_up(&payment).await; // the fake learns the time from requests
    assert_eq!(bank.money(), (0, PRICE, 0), "and then it failed");
    assert_eq!(bank.undo(&payment).await, RefundOutcome::Refunded);
    assert_eq!(bank.money(), (0, PRICE, PRICE), "the second one is accepted");
}

/// A captured payment.
async fn captured() -> (Bank, Payment) {
    let bank = Bank::open();
    let (payment, _) = bank.charge("pm_card_visa").await;
    assert_eq!(bank.capture(&payment).await, CAPTURED());
    (bank, payment)
}

#[tokio::test]
async fn a_part_goes_back_once_for_each_number_also_after_stripe_has_forgotten_its_key() {
    let (bank, payment) = captured().await;
    let (one, two) = (crate::part(1, 400), crate::part(2, PRICE - 400));
    for _ in 0..3 {
        assert_eq!(bank.gateway.refund_part(&payment, &one).await, PartOutcome::Refunded);
        assert_eq!(bank.money(), (0, PRICE, 400));
        bank.clock.advance(SignedDuration::from_hours(25));
    }
    let too_much = crate::part(3, PRICE - 399);
    assert!(matches!(bank.gateway.refund_part(&payment, &too_much).await, PartOutcome::Refused { .. }));
    assert_eq!(bank.gateway.refund_part(&payment, &two).await, PartOutcome::Refunded);
    assert!(matches!(bank.gateway.refund_part(&payment, &crate::part(4, 1)).await, PartOutcome::Refused { .. }));
    assert_eq!(bank.money(), (0, PRICE, PRICE));
}

#[tokio::test]
async fn a_part_that_came_back_is_refused() {
    let bank = Bank::open();
    let (payment, _) = bank.charge("pm_card_refundFail").await;
    bank.capture(&payment).await;
    assert_eq!(bank.gateway.refund_part(&payment, &crate::part(1, 400)).await, PartOutcome::Refunded, "Stripe has accepted it");
    bank.clock.advance_seconds(60);
    assert!(matches!(bank.gateway.refund_part(&payment, &crate::part(1, 400)).await, PartOutcome::Refused { .. }));
    assert_eq!(
        bank.gateway.refund_part(&Payment { provider_id: None, ..payment }, &crate::part(2, 1)).await,
        PartOutcome::Unknown
    );
}

#[tokio::test(start_paused = true)]
async fn no_fault_refunds_a_part_twice_or_loses_it() {
    for fault in ["lost-request", "lost-answer", "error-500", "error-500-done", "rate-limited", "slow"] {
        for times in [1, 2] {
            let (bank, payment) = captured().await;
            bank.goes_wrong("/v1/refunds", fault, times);
            let mut outcome = PartOutcome::Unknown;
            for hours in [0, 0, 1, 25, 25] {
                bank.clock.advance(SignedDuration::from_hours(hours));
                outcome = bank.gateway.refund_part(&payment, &crate::part(1, 400)).await;
            }
            assert_eq!((outcome, bank.money()), (PartOutcome::Refunded, (0, PRICE, 400)), "{fault}, {times} times");
        }
    }
}

/// Each fault, at each request, once and often. Whatever happens, money is reserved once, moves once, and comes back once.
#[tokio::test(start_paused = true)]
async fn no_fault_of_the_way_or_of_stripe_charges_or_refunds_twice() {
    let faults = ["lost-request", "lost-answer", "error-500", "error-500-done", "rate-limited", "slow"];
    let requests = [
        "/v1/payment_intents",
        "/v1/payment_intents/*/confirm",
        "/v1/payment_intents/*/capture",
        "/v1/payment_intents/*/cancel",
        "/v1/refunds",
    ];
    for fault in faults {
        for path in requests {
            for (times, captures) in [(1, true), (2, true), (1, false), (2, false)] {
                let case = format!("{fault} at {path}, {times} times, captured: {captures}");
                let bank = Bank::open();
                bank.goes_wrong(path, fault, times);
                let (payment, outcome) = bank.charge("pm_card_visa").await;
                if outcome == ChargeOutcome::Unavailable || outcome == ChargeOutcome::Unknown {
                    assert!(bank.money().1 == 0, "{case}: {outcome:?}");
                    assert_eq!(bank.undo(&payment).await, RefundOutcome::Voided, "{case}");
                    assert_eq!(bank.money(), (0, 0, 0), "{case}");
                    continue;
                }
                assert_eq!((outcome, bank.money()), (authorised(&payment), (PRICE, 0, 0)), "{case}");
                if captures {
                    let captured = bank.capture(&payment).await;
                    assert!([CAPTURED(), CaptureOutcome::Unknown].contains(&captured), "{case}: {captured:?}");
                    assert!(captured != CAPTURED() || bank.money() == (0, PRICE, 0), "{case}");
                }
                let undone = bank.undo(&payment).await;
                let (reserved, moved, back) = bank.money();
                assert_eq!((reserved, moved), (0, back), "{case}: {undone:?}");
                assert_ne!(undone, RefundOutcome::Unknown, "{case}");
            }
        }
    }
}

/// Stripe forgets keys after a day. A run that comes then makes no second intent, and reads the one that is stored.
#[tokio::test]
async fn a_key_that_stripe_may_have_forgotten_is_not_used_again() {
    let bank = Bank::open();
    let paid = bank.charge("pm_card_visa").await.0;
    bank.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(bank.gateway.open(&payment("pm_card_visa")).await, OpenOutcome::Not(ChargeOutcome::Unavailable));
    assert_eq!(bank.gateway.open(&paid).await, OpenOutcome::ById(paid.provider_id.clone().unwrap()));
    assert_eq!(bank.gateway.look_up(&paid).await, LookUp::Found(authorised(&paid)));
    assert_eq!(bank.statuses().len(), 1);
    let fresh = Bank::open();
    fresh.clock.advance(SignedDuration::from_hours(23) - SignedDuration::from_secs(1));
    assert!(matches!(fresh.gateway.open(&payment("pm_card_visa")).await, OpenOutcome::ById(_)));
}

#[tokio::test]
async fn the_same_attempt_opens_one_intent_and_other_parameters_open_none() {
    let bank = Bank::open();
    let (first, again) = (bank.opened("pm_card_visa").await, bank.opened("pm_card_visa").await);
    assert_eq!(first, again);
    assert_eq!(bank.gateway.open(&payment("pm_card_mastercard")).await, OpenOutcome::Not(ChargeOutcome::Unknown));
    assert_eq!(bank.statuses().len(), 1);
}

/// No secret key, no such account: nothing is charged, and nothing stays unknown.
#[tokio::test]
async fn a_wrong_secret_key_has_certainly_charged_nothing() {
    let bank = Bank::open();
    let client = StripeClient::new(wire::to(&bank.fake, &bank.clock), "http://stripe.test", crate::stripe_keys("sk_test_other"));
    let other = StripeGateway::new(GatewayName("stripe-other".to_owned()), client, Arc::new(bank.clock.clone()));
    assert_eq!(other.open(&payment("pm_card_visa")).await, OpenOutcome::Not(ChargeOutcome::Unavailable));
    let (paid, _) = bank.charge("pm_card_visa").await;
    assert_eq!(other.look_up(&paid).await, LookUp::Unknown, "only its own account knows an intent");
    assert_eq!(other.refund(&paid).await, RefundOutcome::Unknown);
}

/// A call ends within five seconds, so that no task of the saga holds a connection for longer.
#[tokio::test(start_paused = true)]
async fn a_stripe_that_does_not_answer_is_given_up_within_five_seconds() {
    let bank = Bank::open();
    let payment = bank.opened("pm_card_visa").await;
    bank.goes_wrong("/v1/payment_intents/*/confirm", "slow", 1);
    let begun = tokio::time::Instant::now();
    assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Unknown);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(authorised(&payment)));
}
