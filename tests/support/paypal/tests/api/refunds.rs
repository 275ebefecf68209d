//! Refunds: whole, in parts, never above what is left, and not for ever.

use fake_paypal::Instrument;
use serde_json::{Value, json};

use crate::world::{World, amount, usd};

#[test]
fn refunds_never_exceed_what_is_left() {
    let whole = || Value::Null;
    // What is refunded, with what outcome, and the capture's status then.
    let table: [(&[(Value, &str)], &str); 5] = [
        (
            &[
                (whole(), "201 COMPLETED"),
                (whole(), "422 CAPTURE_FULLY_REFUNDED"),
                (amount("0.01"), "422 CAPTURE_FULLY_REFUNDED"),
            ],
            "REFUNDED",
        ),
        (&[(amount("100.01"), "422 REFUND_AMOUNT_EXCEEDED")], "COMPLETED"),
        (&[(amount("30.00"), "201 COMPLETED"), (amount("70.01"), "422 REFUND_AMOUNT_EXCEEDED")], "PARTIALLY_REFUNDED"),
        (
            &[(amount("30.00"), "201 COMPLETED"), (amount("70.00"), "201 COMPLETED"), (whole(), "422 CAPTURE_FULLY_REFUNDED")],
            "REFUNDED",
        ),
        (&[(amount("30.00"), "201 COMPLETED"), (json!({}), "201 COMPLETED")], "REFUNDED"),
    ];
    for (refunds, status) in table {
        let mut world = World::new();
        let capture = world.captured(Instrument::Good);
        for (body, outcome) in refunds {
            assert_eq!(world.post(&format!("{capture}/refund"), "", body).outcome(), *outcome, "{refunds:?}");
        }
        assert_eq!(world.get(&capture).text("/status"), status, "{refunds:?}");
        let record = &world.fake.payments()[0];
        assert!(record.refunded_minor <= record.captured_minor);
    }
}

#[test]
fn a_refund_shows_its_amount_and_the_total() {
    let mut world = World::new();
    let capture = world.captured(Instrument::Good);
    world.post(&format!("{capture}/refund"), "", &amount("20.00"));
    let body = json!({"amount": usd("30.00"), "note_to_payer": "sorry", "invoice_id": "R-2"});
    let second = world.post(&format!("{capture}/refund"), "", &body);
    assert_eq!(second.body["amount"], usd("30.00"));
    assert_eq!(second.body["seller_payable_breakdown"]["total_refunded_amount"], usd("50.00"));
    assert_eq!(
        (second.text("/note_to_payer"), second.text("/invoice_id"), second.text("/custom_id")),
        ("sorry", "R-2", "sale.01J")
    );
    assert_eq!(world.get(second.link("self")).body, second.body);
    assert_eq!(world.get(second.link("up")).text("/status"), "PARTIALLY_REFUNDED");
    assert_eq!(world.post(&format!("{capture}/refund"), "", &body).outcome(), "422 DUPLICATE_INVOICE_ID");
}

#[test]
fn a_refund_has_the_capture_s_currency_and_a_captured_payment() {
    let mut world = World::new();
    let capture = world.captured(Instrument::Good);
    let euros = json!({"amount": {"currency_code": "EUR", "value": "1.00"}});
    assert_eq!(world.post(&format!("{capture}/refund"), "", &euros).outcome(), "422 REFUND_CAPTURE_CURRENCY_MISMATCH");
    assert_eq!(world.post(&format!("{capture}/refund"), "", &amount("1.001")).outcome(), "422 DECIMAL_PRECISION");
    let declined = world.captured(Instrument::CaptureDeclined);
    assert_eq!(world.post(&format!("{declined}/refund"), "", &Value::Null).outcome(), "422 REFUND_NOT_ALLOWED");
}

#[test]
fn a_capture_can_be_refunded_for_180_days() {
    for (hours, outcome) in [(180 * 24, "201 COMPLETED"), (180 * 24 + 1, "422 REFUND_TIME_LIMIT_EXCEEDED")] {
        let mut world = World::new();
        let capture = world.captured(Instrument::Good);
        assert_eq!(world.hours_pass(hours).post(&format!("{capture}/refund"), "", &Value::Null).outcome(), outcome);
    }
}

#[test]
fn a_pending_refund_that_fails_can_be_made_again() {
    for (completed, status, of_capture) in [(true, "COMPLETED", "REFUNDED"), (false, "FAILED", "COMPLETED")] {
        let mut world = World::new();
        let capture = world.captured(Instrument::RefundPending);
        let refund = world.post(&format!("{capture}/refund"), "", &Value::Null);
        assert_eq!(refund.outcome(), "201 PENDING");
        assert_eq!(world.post(&format!("{capture}/refund"), "", &Value::Null).outcome(), "422 CAPTURE_FULLY_REFUNDED");
        world.fake.decide_refund(refund.text("/id"), completed, world.now).unwrap();
        assert_eq!((world.get(refund.link("self")).text("/status"), world.get(&capture).text("/status")), (status, of_capture));
    }
}
