//! Refunds of parts of a captured payment.

use domain::{PartOutcome, SignedDuration};
use fake_paypal::Instrument;
use payments::{Payment, PaymentGateway};

use super::{Bank, CAPTURED, PRICE};
use crate::AskedBySaga;

/// A captured payment.
async fn captured() -> (Bank, Payment) {
    let bank = Bank::open();
    let (payment, _) = bank.charge(&[Instrument::Good]).await;
    assert_eq!(bank.capture(&payment).await, CAPTURED());
    (bank, payment)
}

#[tokio::test]
async fn a_part_goes_back_once_for_each_number_also_after_paypal_has_forgotten_its_request_id() {
    let (bank, payment) = captured().await;
    for _ in 0..3 {
        assert_eq!(bank.gateway.refund_part(&payment, &crate::part(1, 400)).await, PartOutcome::Refunded);
        assert_eq!(bank.money(), (0, PRICE, 400));
        bank.clock.advance(SignedDuration::from_hours(24 * 46));
    }
    let too_much = crate::part(2, 99_501);
    assert!(matches!(bank.gateway.refund_part(&payment, &too_much).await, PartOutcome::Refused { .. }));
    assert_eq!(bank.gateway.refund_part(&payment, &crate::part(3, 99_500)).await, PartOutcome::Refunded);
    assert_eq!(bank.money(), (0, PRICE, PRICE));
}

#[tokio::test]
async fn without_a_capture_nothing_is_known() {
    let bank = Bank::open();
    let (payment, _) = bank.charge(&[Instrument::Good]).await;
    assert_eq!(bank.gateway.refund_part(&payment, &crate::part(1, 400)).await, PartOutcome::Unknown);
    let unknown = Payment { provider_id: None, ..payment };
    assert_eq!(bank.gateway.refund_part(&unknown, &crate::part(1, 400)).await, PartOutcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn no_fault_refunds_a_part_twice_or_loses_it() {
    for fault in super::faults::FAULTS {
        for times in [1, 2] {
            let (bank, payment) = captured().await;
            bank.goes_wrong(("POST", "/v2/payments/captures/*/refund"), fault, times);
            let mut outcome = PartOutcome::Unknown;
            for _ in 0..4 {
                outcome = bank.gateway.refund_part(&payment, &crate::part(1, 400)).await;
                bank.clock.advance(SignedDuration::from_mins(1));
            }
            assert_eq!((outcome, bank.money()), (PartOutcome::Refunded, (0, PRICE, 400)), "{fault}, {times} times");
        }
    }
}
