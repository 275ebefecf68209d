//! Facts that must agree in two places: template, crates, events, policies, state machine, documents.
//!
//! Each check is a function of a [`Repository`] that lists the faults it finds. One test asserts that the repository has none.
//! Another breaks a copy and asserts that the check notices: a check that cannot fail checks nothing.

// All of this is test code: what is missing or wrong ends a test.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod access_patterns;
mod alarms;
mod api_document;
mod bodies;
mod building;
mod capacity;
mod checkov;
mod contract;
mod dependencies;
mod deployment;
mod documents;
mod draw;
mod edge;
mod environment;
mod errors;
mod events;
mod functions;
mod fuzzing;
mod identity;
mod order_events;
mod permissions;
mod problems;
mod queues;
mod registries;
mod rooms;
mod routes;
mod saga;
mod tables;
mod times;

use serde_json::Value;
use system_tests::Repository;

/// A check's findings.
type Faults = Vec<String>;

/// The repository has none of these faults.
#[track_caller]
fn none(faults: &Faults) {
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
}

/// After `change`, the check finds exactly one fault, and it says `what`.
#[track_caller]
fn notices(check: fn(&Repository) -> Faults, what: &str, change: impl FnOnce(&mut Repository)) {
    let mut repository = Repository::read();
    let before = check(&repository);
    change(&mut repository);
    let new: Faults = check(&repository).into_iter().filter(|fault| !before.contains(fault)).collect();
    assert!(new.len() == 1 && new.iter().all(|fault| fault.contains(what)), "expected one fault with {what:?}, found {new:#?}");
}

/// Lets `change` alter the properties of a resource of the template.
fn properties(id: &'static str, change: impl FnOnce(&mut Value)) -> impl FnOnce(&mut Repository) {
    move |repository| change(&mut repository.template["Resources"][id]["Properties"])
}

/// Sets a property of a resource of the template.
fn set(id: &'static str, property: &'static str, value: Value) -> impl FnOnce(&mut Repository) {
    properties(id, move |properties| properties[property] = value)
}

/// Removes a resource from the template.
fn without(id: &'static str) -> impl FnOnce(&mut Repository) {
    move |repository| _ = repository.template["Resources"].as_object_mut().unwrap().remove(id)
}
