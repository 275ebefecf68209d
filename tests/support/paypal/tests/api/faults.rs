//! Faults: what a client that saw nothing, or an error, finds afterwards.

use std::time::Duration;

use fake_paypal::Instrument;
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_provider::Answer;

use crate::world::{World, got};

/// The calls that a fault can hit, and what the books say of them before and after.
const CALLS: [&str; 5] = ["authorize", "capture order", "capture", "void", "refund"];

fn prepared(call: &str) -> (World, String) {
    let mut world = World::new();
    let path = match call {
        "authorize" => format!("{}/authorize", world.approved("AUTHORIZE", Instrument::Good)),
        "capture order" => format!("{}/capture", world.approved("CAPTURE", Instrument::Good)),
        "capture" => format!("{}/capture", world.authorized(Instrument::Good)),
        "void" => format!("{}/void", world.authorized(Instrument::Good)),
        "refund" => format!("{}/refund", world.captured(Instrument::Good)),
        other => panic!("{other}"),
    };
    (world, path)
}

#[track_caller]
fn ordered(world: &mut World, path: &str, fault: &str) {
    assert_eq!(world.post("/_fake/faults", "", &json!({"path": path, "method": "POST", "fault": fault})).status, 200);
}

#[test]
fn a_fault_either_does_nothing_or_everything_and_the_next_call_with_the_id_succeeds() {
    // The fault, the status that arrives (0: none), and whether the call was carried out.
    let table = [
        ("lost-request", 0, false),
        ("lost-answer", 0, true),
        ("error-500", 500, false),
        ("error-500-done", 500, true),
        ("rate-limited", 429, false),
    ];
    for call in CALLS {
        for (fault, status, is_done) in table {
            let (mut world, path) = prepared(call);
            let before = world.fake.payments();
            ordered(&mut world, &path, fault);
            let request = world.request("POST", &path, &Value::Null, &[("paypal-request-id", "key")]);
            let arrived = match world.answer(&request) {
                Answer::Now(response) => response.status().as_u16(),
                Answer::Lost => 0,
                Answer::Late(..) => panic!("late"),
            };
            assert_eq!(arrived, status, "{call} {fault}");
            let after = world.fake.payments();
            assert_eq!(after != before, is_done, "{call} {fault}");
            let again = world.post(&path, "key", &Value::Null);
            assert!(again.status < 300, "{call} {fault}: {again:?}");
            assert_eq!(world.fake.payments() == after, is_done, "{call} {fault}: it is done once");
        }
    }
}

#[test]
fn errors_of_the_server_have_paypal_s_form() {
    for (fault, status, name) in [("error-500", 500, "INTERNAL_SERVER_ERROR"), ("rate-limited", 429, "RATE_LIMIT_REACHED")] {
        let (mut world, path) = prepared("capture");
        ordered(&mut world, &path, fault);
        let refused = world.post(&path, "", &Value::Null);
        assert_eq!((refused.status, refused.text("/name"), refused.text("/debug_id").len()), (status, name, 13));
    }
}

#[test]
fn the_same_id_while_the_first_call_is_in_progress_is_a_conflict() {
    let (mut world, path) = prepared("capture");
    ordered(&mut world, &path, "slow");
    let request = world.request("POST", &path, &Value::Null, &[("paypal-request-id", "key")]);
    let Answer::Late(after, response) = world.answer(&request) else { panic!("not late") };
    assert_eq!((after, response.status().as_u16()), (Duration::from_secs(3), 201));
    world.passes(SignedDuration::from_secs(2));
    let conflict = world.post(&path, "key", &Value::Null);
    assert_eq!((conflict.outcome().as_str(), conflict.text("/name")), ("409 PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT"));
    let made = world.passes(SignedDuration::from_secs(1)).post(&path, "key", &Value::Null);
    assert_eq!(made.body["id"], got(&response).body["id"]);
}
