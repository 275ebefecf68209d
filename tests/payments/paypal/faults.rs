//! Requests and answers that are lost, late or refused.

use std::time::Duration;

use domain::{ChargeOutcome, RefundOutcome, SignedDuration};
use fake_paypal::{Instrument, Options};
use payments::{LookUp, OpenOutcome, PaymentGateway};
use serde_json::json;

use super::{Bank, CAPTURED, CHECKOUT, PRICE, payment};
use crate::AskedBySaga;

pub(super) const FAULTS: [&str; 6] = ["lost-request", "lost-answer", "error-500", "error-500-done", "rate-limited", "slow"];
const REQUESTS: [(&str, &str); 7] = [
    ("POST", "/v1/oauth2/token"),
    ("POST", "/v2/checkout/orders"),
    ("GET", "/v2/checkout/orders/*"),
    ("POST", "/v2/checkout/orders/*/authorize"),
    ("POST", "/v2/payments/authorizations/*/capture"),
    ("POST", "/v2/payments/authorizations/*/void"),
    ("POST", "/v2/payments/captures/*/refund"),
];

/// Each fault, at each request, once and twice. Whatever happens, money is reserved once, moves once, and comes back once.
#[tokio::test(start_paused = true)]
async fn no_fault_of_the_way_or_of_paypal_charges_or_refunds_twice() {
    for remembers_refusals in [false, true] {
        for fault in FAULTS {
            for request in REQUESTS {
                for (times, captures) in [(1, true), (2, true), (1, false), (2, false)] {
                    let case = format!("{fault} at {request:?}, {times} times, captured: {captures}");
                    let bank = Bank::with(Options { remembers_refusals, ..Options::default() });
                    bank.goes_wrong(request, fault, times);
                    let (payment, outcome) = bank.charge(&[Instrument::Good]).await;
                    if outcome == ChargeOutcome::Unavailable {
                        assert_eq!(bank.money(), (0, 0, 0), "{case}");
                        assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)), "{case}");
                        continue;
                    }
                    assert_eq!((outcome, bank.money()), (bank.authorised(), (PRICE, 0, 0)), "{case}");
                    if captures {
                        assert_eq!((bank.capture(&payment).await, bank.money()), (CAPTURED(), (0, PRICE, 0)), "{case}");
                    }
                    let expected = if captures { RefundOutcome::Refunded } else { RefundOutcome::Voided };
                    assert_eq!(bank.undo(&payment).await, expected, "{case}");
                    assert_eq!(bank.money(), if captures { (0, PRICE, PRICE) } else { (0, 0, 0) }, "{case}");
                    assert_eq!(bank.statuses().len(), 1, "{case}");
                }
            }
        }
    }
}

/// The shopper has approved, no run has charged, and the payment is abandoned or undone: every fault at every request.
#[tokio::test(start_paused = true)]
async fn no_fault_leaves_money_reserved_for_a_payment_that_is_over() {
    for fault in FAULTS {
        for request in REQUESTS {
            for (times, abandons) in [(1, true), (2, true), (1, false), (2, false)] {
                let case = format!("{fault} at {request:?}, {times} times, abandoned first: {abandons}");
                let bank = Bank::open();
                let payment = bank.approved(Instrument::Good).await;
                bank.clock.advance(SignedDuration::from_mins(10));
                bank.goes_wrong(request, fault, times);
                if abandons {
                    let mut outcome = ChargeOutcome::Unknown;
                    for _ in 0..9 {
                        outcome = bank.gateway.abandon(&payment).await;
                        if outcome != ChargeOutcome::Unknown {
                            break;
                        }
                        bank.clock.advance_seconds(10);
                    }
                    assert_eq!((outcome, bank.money()), (bank.authorised(), (PRICE, 0, 0)), "{case}");
                }
                assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)), "{case}");
            }
        }
    }
}

/// A call to authorise that is still on its way when the payment is undone finds an order that is authorised and void.
#[tokio::test(start_paused = true)]
async fn a_call_that_arrives_after_the_payment_was_undone_reserves_nothing() {
    let bank = Bank::open();
    let payment = bank.approved(Instrument::Good).await;
    bank.goes_wrong(("POST", "/v2/checkout/orders/*/authorize"), "slow", 1);
    assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Unknown);
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
    let path = format!("/v2/checkout/orders/{}/authorize", payment.provider_id.clone().unwrap());
    assert_eq!(bank.asks("POST", &path, &json!({}))["details"][0]["issue"], "ORDER_ALREADY_AUTHORIZED");
    assert_eq!(bank.money(), (0, 0, 0));
}

#[tokio::test]
async fn a_busy_paypal_is_told_from_one_that_is_down() {
    let bank = Bank::open();
    let path = "/v2/checkout/orders";
    bank.goes_wrong(("POST", path), "rate-limited", 1);
    assert_eq!(bank.gateway.open(&payment(CHECKOUT)).await, OpenOutcome::Not(ChargeOutcome::Busy));
    let payment = bank.approved(Instrument::Good).await;
    for request in [("GET", "/v2/checkout/orders/*"), ("POST", "/v2/checkout/orders/*/authorize")] {
        bank.goes_wrong(request, "rate-limited", 1);
        assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Busy);
    }
    bank.goes_wrong(("POST", "/v2/checkout/orders/*/authorize"), "rate-limited", 1);
    assert_eq!(bank.gateway.abandon(&payment).await, ChargeOutcome::Unknown, "an earlier call may have authorised");
    assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
}

/// A call ends within five seconds, so that no task of the saga holds a connection for longer.
#[tokio::test(start_paused = true)]
async fn a_paypal_that_does_not_answer_is_given_up_within_five_seconds() {
    for request in [("GET", "/v2/checkout/orders/*"), ("POST", "/v2/checkout/orders/*/authorize")] {
        let bank = Bank::open();
        let payment = bank.approved(Instrument::Good).await;
        bank.goes_wrong(request, "slow", 1);
        let begun = tokio::time::Instant::now();
        assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Unknown);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let bank = Bank::open();
    let payment = bank.approved(Instrument::Good).await;
    bank.goes_wrong(("POST", "/v2/checkout/orders/*/authorize"), "slow", 1);
    bank.gateway.charge(&payment).await;
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(bank.authorised()));
}
