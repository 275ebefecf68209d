//! The state machine and the Rust of its tasks agree on errors by name, and nothing in it can go on for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use system_tests::{Repository, repository::Crate, rust, template};

use crate::{Faults, none, notices};

/// A state that invokes a function.
struct Task<'r> {
    state: String,
    function: String,
    definition: &'r Value,
}

fn machines(repository: &Repository) -> Vec<(&str, &Value, &Value)> {
    template::resources(&repository.template, "AWS::Serverless::StateMachine")
        .map(|(id, resource)| {
            let file =
                resource["Properties"]["DefinitionUri"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let definition =
                repository.state_machines.get(file).unwrap_or_else(|| panic!("{id}: there is no statemachines/{file}"));
            (id, resource, definition)
        })
        .collect()
}

fn tasks(definition: &Value) -> Vec<Task<'_>> {
    let states = definition["States"].as_object().expect("a state machine has States");
    let task = |(state, definition): (&String, &'_ Value)| {
        let arn = definition["Arguments"]["FunctionName"].as_str().unwrap_or_default().to_owned();
        let id = arn.trim_start_matches("${").trim_end_matches("Arn}").to_owned();
        (state.clone(), template::folder_name(&id))
    };
    states
        .iter()
        .filter(|(_, definition)| definition["Type"] == "Task")
        .map(|entry| {
            let (state, function) = task(entry);
            Task { state, function, definition: entry.1 }
        })
        .collect()
}

/// The names that a task's errors have for the state machine: what its own `TaskError::name` answers, and of the errors that all
/// tasks share those that it raises.
fn errors_of(repository: &Repository, function: &str) -> BTreeSet<String> {
    let Some(own) = repository.functions.get(function).map(Crate::text) else { return BTreeSet::new() };
    let mut names: BTreeSet<String> = task_error_names(&own).into_values().collect();
    let mut shared = repository.shared.values().map(Crate::text).filter(|text| text.contains("TaskError for SagaError"));
    if let (Some(saga), true) = (shared.next(), own.contains("SagaError")) {
        // Every task has a store that may fail; a store's error becomes one of these two by itself.
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

/// Of every `fn name` in an `impl TaskError`: the variant, or what stands in its place, and its name.
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

/// Lambda's and Step Functions' own names have a prefix with a dot; ours have none.
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

/// What another try may mend. An error that says how things are is not among them, and one of these raised by another task is
/// not mended by repeating that task.
const PASSING: [(&str, Option<&str>); 4] = [
    ("StoreUnavailable", None),
    ("NotificationFailed", None),
    ("PaymentOutcomeUnknown", Some("charge-payment")),
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

fn bounds(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (id, _, definition) in machines(repository) {
        if !definition["TimeoutSeconds"].is_i64() {
            faults.push(format!("{id}: has no bound on the whole"));
        }
        for Task { state, function, definition } in tasks(definition) {
            let timeout = functions.get(&function).map_or(0, |function| function.timeout_seconds);
            if definition["TimeoutSeconds"].as_i64().is_none_or(|seconds| seconds <= timeout) {
                faults.push(format!("{state}: gives up before {function} does ({timeout} s)"));
            }
            for retry in definition["Retry"].as_array().into_iter().flatten() {
                let bounded =
                    retry["MaxAttempts"].is_i64() && retry["MaxDelaySeconds"].is_i64() && retry["JitterStrategy"] == "FULL";
                if !bounded {
                    faults.push(format!("{state}: a retry without MaxAttempts, MaxDelaySeconds or full jitter"));
                }
            }
        }
    }
    faults
}

fn substitutions(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (id, resource, definition) in machines(repository) {
        let text = definition.to_string();
        let given: BTreeMap<String, &Value> = resource["Properties"]["DefinitionSubstitutions"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value))
            .collect();
        let used: BTreeSet<String> =
            text.split("${").skip(1).filter_map(|after| after.split_once('}')).map(|(name, _)| name.to_owned()).collect();
        faults.extend(
            used.iter().filter(|name| !given.contains_key(*name)).map(|name| format!("{id}: ${{{name}}} is not substituted")),
        );
        faults.extend(given.keys().filter(|name| !used.contains(*name)).map(|name| format!("{id}: {name} is in no state")));
        for (name, value) in &given {
            let function = name.trim_end_matches("Arn");
            if **value != json!({"Fn::GetAtt": format!("{function}.Arn")}) {
                faults.push(format!("{id}: {name} is {value}"));
            }
            if !functions.values().any(|one| one.logical_id == function) {
                faults.push(format!("{id}: {function} is no function"));
            }
        }
        let invoked: BTreeSet<String> = resource["Properties"]["Policies"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|policy| policy["Statement"].as_array().into_iter().flatten())
            .filter(|statement| statement["Action"] == "lambda:InvokeFunction")
            .flat_map(|statement| template::one_or_many(&statement["Resource"]))
            .map(Value::to_string)
            .collect();
        if invoked != given.values().map(|value| value.to_string()).collect() {
            faults.push(format!("{id}: may invoke other functions than it does"));
        }
    }
    faults
}

fn task<'r>(repository: &'r mut Repository, state: &str) -> &'r mut Value {
    &mut repository.state_machines.get_mut("payment-saga.asl.json").unwrap()["States"][state]
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

/// A task's payload that is written out has the members of the recorded input.
fn payloads(repository: &Repository) -> Faults {
    let members = |value: &Value| value.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
    let mut faults = Faults::new();
    for (_, _, definition) in machines(repository) {
        for Task { state, function, definition } in tasks(definition) {
            let recorded = repository.events.get(&function).and_then(|cases| cases.get("ok")).and_then(members);
            let given = members(&definition["Arguments"]["Payload"]);
            if given.is_some() && given != recorded {
                faults.push(format!("{state}: gives {given:?}, but events/{function}/ok.json has {recorded:?}"));
            }
        }
    }
    faults
}

#[test]
fn every_task_is_given_what_its_recorded_input_has() {
    none(&payloads(&Repository::read()));
    notices(payloads, "Refund: gives", |repository| {
        task(repository, "Refund")["Arguments"]["Payload"].as_object_mut().unwrap().remove("attempt");
    });
}

#[test]
fn what_passes_is_retried_and_what_is_so_is_not() {
    none(&passing(&Repository::read()));
    notices(passing, "Charge: PaymentOutcomeUnknown is not retried", |repository| {
        task(repository, "Charge")["Retry"][0]["ErrorEquals"] = json!(["Lambda.Unknown"]);
    });
    notices(passing, "SellStock: HoldLost is retried", |repository| {
        task(repository, "SellStock")["Retry"][0]["ErrorEquals"].as_array_mut().unwrap().push(json!("HoldLost"));
    });
}

#[test]
fn nothing_in_the_saga_goes_on_for_ever() {
    none(&bounds(&Repository::read()));
    notices(bounds, "no bound on the whole", |repository| {
        repository.state_machines.get_mut("payment-saga.asl.json").unwrap()["TimeoutSeconds"] = Value::Null;
    });
    notices(bounds, "Refund: gives up before refund-payment", |repository| {
        task(repository, "Refund")["TimeoutSeconds"] = json!(20)
    });
    notices(bounds, "full jitter", |repository| task(repository, "Charge")["Retry"][0]["JitterStrategy"] = json!("NONE"));
}

#[test]
fn every_function_of_the_saga_is_substituted_and_may_be_invoked() {
    none(&substitutions(&Repository::read()));
    let properties =
        |repository: &mut Repository, member: &str| repository.template["Resources"]["PaymentSaga"]["Properties"][member].take();
    notices(substitutions, "is in no state", |repository| {
        let mut given = properties(repository, "DefinitionSubstitutions");
        given["HealthFunctionArn"] = json!({"Fn::GetAtt": "HealthFunction.Arn"});
        let mut policies = properties(repository, "Policies");
        policies[0]["Statement"][0]["Resource"].as_array_mut().unwrap().push(json!({"Fn::GetAtt": "HealthFunction.Arn"}));
        repository.template["Resources"]["PaymentSaga"]["Properties"]["DefinitionSubstitutions"] = given;
        repository.template["Resources"]["PaymentSaga"]["Properties"]["Policies"] = policies;
    });
    notices(substitutions, "${RefundOrderFunctionArn} is not substituted", |repository| {
        let mut copy = task(repository, "TakeBackStock").clone();
        copy["Arguments"]["FunctionName"] = json!("${RefundOrderFunctionArn}");
        *task(repository, "RefundOrder") = copy;
    });
    notices(substitutions, "may invoke other functions", |repository| {
        let mut policies = properties(repository, "Policies");
        policies[0]["Statement"][0]["Resource"].as_array_mut().unwrap().pop();
        repository.template["Resources"]["PaymentSaga"]["Properties"]["Policies"] = policies;
    });
}
