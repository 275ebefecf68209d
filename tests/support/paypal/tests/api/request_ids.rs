//! `PayPal-Request-Id`: what is answered again, for how long, and what a call that is made anew can do.

use fake_paypal::{Instrument, Options};
use serde_json::Value;

use crate::world::{A_MOMENT, World, amount, options, order};

const SIX_HOURS: i64 = 6;
const FORTY_FIVE_DAYS: i64 = 45 * 24;

/// A call that can be made: its path and body.
fn prepared(call: &str) -> (World, String, Value) {
    let mut world = World::new();
    let (path, body) = match call {
        "create" => ("/v2/checkout/orders".to_owned(), order("CAPTURE", "100.00")),
        "authorize" => (format!("{}/authorize", world.approved("AUTHORIZE", Instrument::Good)), Value::Null),
        "capture order" => (format!("{}/capture", world.approved("CAPTURE", Instrument::Good)), Value::Null),
        "capture" => (format!("{}/capture", world.authorized(Instrument::Good)), Value::Null),
        "part" => (format!("{}/capture", world.authorized(Instrument::Good)), amount("10.00")),
        "void" => (format!("{}/void", world.authorized(Instrument::Good)), Value::Null),
        "refund" => (format!("{}/refund", world.captured(Instrument::Good)), Value::Null),
        "partial refund" => (format!("{}/refund", world.captured(Instrument::Good)), amount("10.00")),
        other => panic!("{other}"),
    };
    (world, path, body)
}

#[test]
fn a_known_id_is_answered_with_what_the_first_call_made() {
    // The statuses of the first answer and of later ones.
    let table = [
        ("create", [201, 200]),
        ("authorize", [201, 200]),
        ("capture order", [201, 200]),
        ("capture", [201, 201]),
        ("void", [200, 200]),
        ("refund", [201, 201]),
        ("partial refund", [201, 201]),
    ];
    for (call, statuses) in table {
        let (mut world, path, body) = prepared(call);
        let first = world.post(&path, "key", &body);
        let records = world.fake.payments();
        for _ in 0..2 {
            let again = world.post(&path, "key", &body);
            assert_eq!([first.status, again.status], statuses, "{call}");
            assert_eq!(again.body, first.body, "{call}");
        }
        assert_eq!(world.fake.payments(), records, "{call}: nothing is done twice");
    }
}

#[test]
fn an_id_lasts_six_hours_in_orders_and_45_days_in_payments_then_the_call_is_made_anew() {
    // The call, for how many hours its id is kept, and what a call after that is answered.
    let table = [
        ("authorize", SIX_HOURS, "422 ORDER_ALREADY_AUTHORIZED"),
        ("capture order", SIX_HOURS, "422 ORDER_ALREADY_CAPTURED"),
        ("capture", FORTY_FIVE_DAYS, "422 AUTHORIZATION_ALREADY_CAPTURED"),
        // An authorization ends long before the id.
        ("part", FORTY_FIVE_DAYS, "422 AUTHORIZATION_EXPIRED"),
        ("void", FORTY_FIVE_DAYS, "422 PREVIOUSLY_VOIDED"),
        ("refund", FORTY_FIVE_DAYS, "422 CAPTURE_FULLY_REFUNDED"),
        // PayPal refunds a part twice, too.
        ("partial refund", FORTY_FIVE_DAYS, "201 COMPLETED"),
    ];
    for (call, hours, anew) in table {
        let (mut world, path, body) = prepared(call);
        let first = world.post(&path, "key", &body);
        assert!(first.status < 300, "{call}");
        let kept = world.almost_hours_pass(hours).post(&path, "key", &body);
        assert!(kept.status < 300, "{call}: {kept:?}");
        assert_eq!(kept.body["id"], first.body["id"], "{call}");
        let after = world.passes(A_MOMENT).post(&path, "key", &body);
        assert_eq!(after.outcome(), anew, "{call}");
    }
}

#[test]
fn an_order_that_is_created_anew_is_another_one() {
    let (mut world, path, body) = prepared("create");
    let first = world.post(&path, "key", &body);
    world.fake.approve(first.text("/id"), Instrument::Good, world.now).unwrap();
    assert_eq!(world.post(first.link("capture"), "", &Value::Null).outcome(), "201 COMPLETED");
    let second = world.hours_pass(SIX_HOURS).post(&path, "key", &body);
    assert_eq!(second.outcome(), "201 CREATED");
    assert_ne!(second.body["id"], first.body["id"]);
}

#[test]
fn a_known_id_of_an_order_that_ended_unapproved_finds_nothing() {
    let (mut world, path, body) = prepared("create");
    world.post(&path, "key", &body);
    assert_eq!(world.hours_pass(3).post(&path, "key", &body).outcome(), "404 INVALID_RESOURCE_ID");
}

#[test]
fn the_answer_to_a_known_id_shows_the_latest_status() {
    let (mut world, path, _) = prepared("authorize");
    let first = world.post(&path, "key", &Value::Null);
    let status = |got: &crate::world::Got| got.text("/purchase_units/0/payments/authorizations/0/status").to_owned();
    let id = first.text("/purchase_units/0/payments/authorizations/0/id").to_owned();
    world.post(&format!("/v2/payments/authorizations/{id}/void"), "", &Value::Null);
    let again = world.post(&path, "key", &Value::Null);
    assert_eq!((status(&first), status(&again)), ("CREATED".to_owned(), "VOIDED".to_owned()));
}

#[test]
fn a_known_id_with_another_body_or_resource_is_answered_with_the_first() {
    let (mut world, path, body) = prepared("partial refund");
    let first = world.post(&path, "key", &body);
    assert_eq!(world.post(&path, "key", &amount("55.00")).body, first.body);
    let other = world.captured(Instrument::Good);
    assert_eq!(world.post(&format!("{other}/refund"), "key", &Value::Null).body, first.body);
    assert_eq!(world.get(&other).text("/status"), "COMPLETED");
}

#[test]
fn an_id_is_one_account_s_and_one_call_s() {
    let (mut world, path, body) = prepared("create");
    let first = world.post(&path, "key", &body);
    world.fake.approve(first.text("/id"), Instrument::Good, world.now).unwrap();
    assert_eq!(world.post(first.link("capture"), "key", &Value::Null).outcome(), "201 COMPLETED");
    let other = world.as_other().post(&path, "key", &body);
    assert_eq!(other.status, 201);
    assert_ne!(other.body["id"], first.body["id"]);
}

#[test]
fn without_an_id_a_call_is_made_again() {
    for (call, outcome) in [("create", "201 CREATED"), ("part", "201 COMPLETED"), ("partial refund", "201 COMPLETED")] {
        let (mut world, path, body) = prepared(call);
        let (first, second) = (world.post(&path, "", &body), world.post(&path, "", &body));
        assert_eq!(second.outcome(), outcome, "{call}");
        assert_ne!(first.body["id"], second.body["id"], "{call}");
    }
}

#[test]
fn a_refusal_is_forgotten_unless_the_settings_say_otherwise() {
    for (remembers_refusals, second, with_another_id) in
        [(false, "201 COMPLETED", "422 ORDER_ALREADY_CAPTURED"), (true, "422 ORDER_NOT_APPROVED", "201 COMPLETED")]
    {
        let mut world = World::with(Options { remembers_refusals, ..options() });
        let made = world.post("/v2/checkout/orders", "", &order("CAPTURE", "1.00"));
        assert_eq!(world.post(made.link("capture"), "key", &Value::Null).outcome(), "422 ORDER_NOT_APPROVED");
        world.fake.approve(made.text("/id"), Instrument::Good, world.now).unwrap();
        assert_eq!(world.post(made.link("capture"), "key", &Value::Null).outcome(), second);
        assert_eq!(world.post(made.link("capture"), "other", &Value::Null).outcome(), with_another_id);
    }
}

#[test]
fn an_id_of_orders_has_at_most_108_characters() {
    let (mut world, path, body) = prepared("create");
    assert_eq!(world.post(&path, &"k".repeat(108), &body).outcome(), "201 CREATED");
    assert_eq!(world.post(&path, &"k".repeat(109), &body).outcome(), "400 INVALID_STRING_LENGTH");
}
