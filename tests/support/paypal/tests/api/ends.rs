//! What ends by itself: orders, authorizations, the honor period, access tokens.

use fake_paypal::{Instrument, Options};
use jiff::SignedDuration;
use serde_json::Value;

use crate::world::{A_MOMENT, World, amount, options, order};

#[test]
fn an_order_ends_three_hours_after_it_was_made_or_approved() {
    let mut world = World::new();
    let made = world.post("/v2/checkout/orders", "", &order("CAPTURE", "1.00"));
    world.almost_hours_pass(3);
    assert_eq!(world.get(made.link("self")).text("/status"), "CREATED");
    world.fake.approve(made.text("/id"), Instrument::Good, world.now).unwrap();
    world.almost_hours_pass(3);
    assert_eq!(world.get(made.link("self")).text("/status"), "APPROVED");
    world.passes(A_MOMENT);
    assert_eq!(world.get(made.link("self")).outcome(), "404 INVALID_RESOURCE_ID");
    assert_eq!(world.post(made.link("capture"), "", &Value::Null).outcome(), "404 INVALID_RESOURCE_ID");
    assert!(world.fake.approve(made.text("/id"), Instrument::Good, world.now).is_err());
}

#[test]
fn a_completed_order_does_not_end() {
    let mut world = World::new();
    let order = world.approved("CAPTURE", Instrument::Good);
    world.post(&format!("{order}/capture"), "", &Value::Null);
    assert_eq!(world.hours_pass(365 * 24).get(&order).text("/status"), "COMPLETED");
}

#[test]
fn an_authorization_ends_after_29_days() {
    // What is captured before; the status then; what a capture and a void are answered.
    let table = [
        ("", "VOIDED", "422 AUTHORIZATION_EXPIRED", "422 PREVIOUSLY_VOIDED"),
        ("10.00", "PARTIALLY_CAPTURED", "422 AUTHORIZATION_EXPIRED", "422 PREVIOUSLY_VOIDED"),
        ("100.00", "CAPTURED", "422 AUTHORIZATION_ALREADY_CAPTURED", "422 PREVIOUSLY_CAPTURED"),
    ];
    for (captured, status, capture, void) in table {
        let mut world = World::new();
        let path = world.authorized(Instrument::Good);
        assert_eq!(world.get(&path).text("/expiration_time"), "2030-01-30T00:00:00Z");
        if !captured.is_empty() {
            assert_eq!(world.post(&format!("{path}/capture"), "", &amount(captured)).status, 201);
        }
        world.almost_hours_pass(29 * 24);
        let live = world.get(&path).text("/status").to_owned();
        assert_eq!(live, if captured.is_empty() { "CREATED" } else { status });
        world.passes(A_MOMENT);
        assert_eq!(world.get(&path).text("/status"), status);
        assert_eq!(world.post(&format!("{path}/capture"), "", &amount("1.00")).outcome(), capture);
        assert_eq!(world.post(&format!("{path}/void"), "", &Value::Null).outcome(), void);
        assert_eq!(world.fake.payments()[0].held_minor, 0);
    }
}

#[test]
fn an_authorization_can_be_captured_until_it_ends() {
    let mut world = World::new();
    let path = world.authorized(Instrument::Good);
    world.almost_hours_pass(29 * 24);
    assert_eq!(world.post(&format!("{path}/capture"), "", &Value::Null).outcome(), "201 COMPLETED");
}

#[test]
fn after_the_honor_period_the_funds_may_be_gone() {
    for (hours, outcome) in [(3 * 24, "201 COMPLETED"), (3 * 24 + 1, "422 PAYER_CANNOT_PAY")] {
        let mut world = World::new();
        let path = world.authorized(Instrument::HonorPeriodOnly);
        assert_eq!(world.hours_pass(hours).post(&format!("{path}/capture"), "", &Value::Null).outcome(), outcome);
        let void = world.post(&format!("{path}/void"), "", &Value::Null).status;
        assert_eq!(void == 200, outcome.starts_with("422"));
    }
}

#[test]
fn a_token_ends_after_its_time() {
    for hours in [9, 1] {
        let mut world = World::with(Options { token_life: SignedDuration::from_hours(hours), ..options() });
        let order = world.approved("CAPTURE", Instrument::Good);
        world.passes(SignedDuration::from_hours(hours) - A_MOMENT);
        // The order has ended by then; the token has not.
        assert_ne!(world.get(&order).status, 401);
        let refused = world.passes(A_MOMENT).get(&order);
        assert_eq!((refused.status, refused.text("/error")), (401, "invalid_token"));
    }
}
