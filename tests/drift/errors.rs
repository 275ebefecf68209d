//! The state machine and its tasks agree on error names: a task raises every name that the state machine matches, and the state
//! machine handles every error that a task raises.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use system_tests::{Repository, repository::Crate, rust};

use crate::{
    Faults, none, notices,
    saga::{Task, machines, task, tasks},
};

/// The names of a task's errors for the state machine: those from its own `TaskError::name`, and those of the shared errors that
/// the task raises.
fn errors_of(repository: &Repository, function: &str) -> BTreeSet<String> {
    let Some(own) = repository.functions.get(function).map(Crate::text) else { return BTreeSet::new() };
    let mut names: BTreeSet<String> = task_error_names(&own).into_values().collect();
    let mut shared = repository.shared.values().map(Crate::text).filter(|text| text.contains("TaskError for SagaError"));
    if let (Some(saga), true) = (shared.next(), own.contains("SagaError")) {
        // Every task has a store that may fail. A store's error converts to one of the two `Store…` variants.
        let raised = |variant: &str| {
            let of_helper = variant == "OrderNotPending" && own.contains("saga::order(");
            own.contains(&format!("SagaError::{variant}")) || variant.starts_with("Store") || of_helper
        };
        names.extend(task_error_names(&saga).into_iter().filter(|(variant, _)| raised(variant)).map(|(_, name)| name));
    }
    if !names.is_empty() {
        names.insert("MalformedTask".to_owned());
    }
    names
}

/// The error names in every `impl TaskError`, each by its variant or by the word in the variant's place.
fn task_error_names(source: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut rest = source;
    while let Some((_, after)) = rest.split_once("TaskError for ") {
        for line in rust::block_after(rest, "TaskError for ").unwrap_or_default().lines() {
            for name in rust::string_literals(line) {
                let variant = line.trim().trim_start_matches("Self::").split(['(', ' ', '{', '"']).next().unwrap_or_default();
                names.insert(if variant.is_empty() { name.clone() } else { variant.to_owned() }, name);
            }
        }
        rest = after;
    }
    names
}

fn names_in<'d>(task: &'d Value, member: &str) -> Vec<&'d str> {
    let rules = task[member].as_array().into_iter().flatten();
    rules.flat_map(|rule| rule["ErrorEquals"].as_array().into_iter().flatten()).filter_map(Value::as_str).collect()
}

/// The names that Lambda and Step Functions define contain a dot; the project's own do not.
fn is_ours(name: &str) -> bool {
    !name.contains('.')
}

fn errors(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (_, _, definition) in machines(repository) {
        for task in tasks(definition) {
            let (Task { state, function, definition }, known) = (&task, errors_of(repository, &task.function));
            let (retried, caught) = (names_in(definition, "Retry"), names_in(definition, "Catch"));
            let unknown = retried.iter().chain(&caught).filter(|name| is_ours(name) && !known.contains(**name));
            faults.extend(unknown.map(|name| format!("{state}: {function} has no error {name}")));
            for name in &known {
                if !caught.contains(&name.as_str()) && !caught.contains(&"States.ALL") {
                    faults.push(format!("{state}: {name} of {function} is not caught"));
                }
            }
            if retried.contains(&"MalformedTask") || retried.contains(&"States.ALL") {
                faults.push(format!("{state}: retries what never gets better"));
            }
        }
    }
    faults
}

/// Errors that another try may mend. An error that describes how things are is not among them. If an error has a task here,
/// repeating any other task that raises it does not mend it.
const PASSING: [(&str, Option<&str>); 6] = [
    ("StoreUnavailable", None),
    ("NotificationFailed", None),
    ("PaymentOutcomeUnknown", Some("charge-payment")),
    ("GatewayBusy", Some("charge-payment")),
    ("CaptureOutcomeUnknown", Some("capture-payment")),
    ("RefundUnconfirmed", Some("refund-payment")),
];

fn passing(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (_, _, definition) in machines(repository) {
        for Task { state, function, definition } in tasks(definition) {
            let retried = names_in(definition, "Retry");
            for name in errors_of(repository, &function) {
                let expected = PASSING.iter().any(|(passing, of)| *passing == name && of.is_none_or(|of| of == function));
                if expected != retried.contains(&name.as_str()) {
                    faults.push(format!("{state}: {name} {} retried", if expected { "is not" } else { "is" }));
                }
            }
        }
    }
    faults
}

#[test]
fn every_error_name_in_the_saga_is_one_of_its_tasks_and_every_one_of_theirs_is_handled() {
    none(&errors(&Repository::read()));
}

#[test]
fn an_error_that_nobody_raises_or_nobody_handles_is_noticed() {
    notices(errors, "sell-stock has no error HoldGone", |repository| {
        task(repository, "SellStock")["Catch"][0]["ErrorEquals"] = json!(["HoldGone", "States.ALL"]);
    });
    notices(errors, "retries what never gets better", |repository| {
        task(repository, "Charge")["Retry"][0]["ErrorEquals"] = json!(["States.ALL"]);
    });
    notices(errors, "TakeBackStock: StoreFailed of take-back-stock is not caught", |repository| {
        let known: BTreeSet<String> = errors_of(repository, "take-back-stock");
        let caught: Vec<&String> = known.iter().filter(|name| *name != "StoreFailed").collect();
        task(repository, "TakeBackStock")["Catch"] = json!([{"ErrorEquals": caught, "Next": "KeptForReview"}]);
    });
    notices(errors, "sell-stock has no error HoldLost", |repository| {
        for source in repository.functions.get_mut("sell-stock").unwrap().sources.values_mut() {
            *source = source.replace("SagaError::HoldLost", "SagaError::OrderNotPending");
        }
        task(repository, "SellStock")["Catch"][0]["ErrorEquals"] = json!(["HoldLost", "States.ALL"]);
    });
}

#[test]
fn what_passes_is_retried_and_what_is_so_is_not() {
    none(&passing(&Repository::read()));
    notices(passing, "Charge: PaymentOutcomeUnknown is not retried", |repository| {
        task(repository, "Charge")["Retry"][1]["ErrorEquals"] = json!(["Lambda.Unknown"]);
    });
    notices(passing, "SellStock: HoldLost is retried", |repository| {
        task(repository, "SellStock")["Retry"][0]["ErrorEquals"].as_array_mut().unwrap().push(json!("HoldLost"));
    });
}
