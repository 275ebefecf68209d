//! Tests of the tables as a whole, and of the helpers that build the events.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use test_shop::{Buyer, Given, demo};

use crate::values::{DEMO, FIRST, OTHER_RESERVATION, RESERVATION, SECOND};
use crate::{cases, ids, json::but};

#[test]
fn a_function_has_a_case_once_and_its_name_is_a_files() {
    let mut names = BTreeSet::new();
    for case in cases() {
        let is_plain = case.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(is_plain && !case.name.is_empty(), "{}/{}", case.function, case.name);
        assert!(names.insert((case.function, case.name)), "{}/{} is there twice", case.function, case.name);
    }
}

#[test]
fn no_two_requests_messages_or_records_have_the_same_id() {
    let mut ids = BTreeSet::new();
    for case in cases() {
        let event = case.json();
        let records = event["Records"].as_array().into_iter().flatten();
        let of_records = records.flat_map(|record| [&record["messageId"], &record["receiptHandle"], &record["eventID"]]);
        for id in of_records.chain([&event["requestContext"]["requestId"]]).filter_map(Value::as_str) {
            assert!(ids.insert(id.to_owned()), "{}/{}: {id} is there twice", case.function, case.name);
        }
    }
    assert!(ids.len() > 150, "{} ids", ids.len());
}

#[test]
fn an_id_is_the_same_in_every_run() {
    assert_eq!(ids::uuid(&["reserve", "ok", "request"]), "ac54c5e9-6994-439f-94ce-dc5890002408");
    // The digest that `md5sum` prints.
    assert_eq!(ids::digest("not json at all"), "963a8b47bac04e57138d0c0bb4b2a0c3");
}

#[test]
fn a_patch_replaces_members_and_null_removes_them() {
    let value = || json!({"a": 1, "b": {"c": 2, "d": 3}});
    assert_eq!(but(value(), json!({})), value());
    assert_eq!(but(value(), json!({"a": null, "b": {"d": 4}, "e": [5]})), json!({"b": {"c": 2, "d": 4}, "e": [5]}));
    assert_eq!(but(value(), json!({"b": "text", "f": null})), json!({"a": 1, "b": "text"}));
}

#[test]
fn the_events_speak_of_the_purchases_that_are_given() {
    let ids = |buyer: &Buyer| (buyer.shopper.to_string(), buyer.id.to_string());
    assert_eq!(ids(&Buyer::first()), (FIRST.id.to_owned(), RESERVATION.to_owned()));
    assert_eq!(ids(&Buyer::second()), (SECOND.id.to_owned(), OTHER_RESERVATION.to_owned()));
    assert_eq!(demo().to_string(), DEMO);
}

#[test]
fn every_state_that_can_be_given_is_given_to_some_function() {
    let given: Vec<Given> = cases().iter().flat_map(|case| case.expected.iter().map(|expected| expected.given)).collect();
    assert!(Given::ALL.iter().all(|state| given.contains(state)), "{given:?}");
}
