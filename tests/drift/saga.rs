//! The state machine invokes functions of the template and gives them the input that they need. No execution can go
//! on for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use system_tests::{Repository, template};

use crate::{Faults, none, notices};

/// A state that invokes a function.
pub(crate) struct Task<'r> {
    pub(crate) state: String,
    pub(crate) function: String,
    pub(crate) definition: &'r Value,
}

pub(crate) fn machines(repository: &Repository) -> Vec<(&str, &Value, &Value)> {
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

pub(crate) fn tasks(definition: &Value) -> Vec<Task<'_>> {
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

/// The longest time that an execution can wait in all, s: for retries, and for a shopper who has to act, at most to the latest end
/// of a hold. No path enters a state twice, except the charge: at a second gateway, and after the shopper has acted.
fn longest_waits(definition: &Value) -> i64 {
    let retry = |retry: &Value| -> i64 {
        let number = |member: &str| retry[member].as_i64().unwrap_or(0);
        let grown = |attempt: i64| number("IntervalSeconds") << attempt.min(30);
        (0..number("MaxAttempts")).map(|attempt| grown(attempt).min(number("MaxDelaySeconds"))).sum()
    };
    let state = |task: &Task<'_>| -> i64 { task.definition["Retry"].as_array().into_iter().flatten().map(retry).sum() };
    let tasks = tasks(definition);
    let again = 2 * tasks.iter().filter(|task| task.state == "Charge").map(state).sum::<i64>();
    tasks.iter().map(state).sum::<i64>() + again + i64::from(*domain::SaleDraft::MAX_HOLD_SECONDS.end())
}

fn bounds(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (id, _, definition) in machines(repository) {
        let waits = longest_waits(definition);
        if definition["TimeoutSeconds"].as_i64().is_none_or(|seconds| seconds <= waits) {
            faults.push(format!("{id}: has no bound on the whole, or may be cut off while it waits, up to {waits} s"));
        }
        for Task { state, function, definition } in tasks(definition) {
            let timeout = functions.get(&function).map_or(0, |function| function.timeout_seconds);
            // The shopper's time is the input's, and Lambda ends the function itself.
            let is_given = definition["TimeoutSeconds"] == "{% $states.input.seconds %}";
            if !is_given && definition["TimeoutSeconds"].as_i64().is_none_or(|seconds| seconds <= timeout) {
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
        if invoked != given.values().map(ToString::to_string).collect() {
            faults.push(format!("{id}: may invoke other functions than it does"));
        }
    }
    faults
}

pub(crate) fn task<'r>(repository: &'r mut Repository, state: &str) -> &'r mut Value {
    &mut repository.state_machines.get_mut("payment-saga.asl.json").unwrap()["States"][state]
}

/// Checks that each state gives its task the members of the task's sample input: those of the execution's input, which is a
/// message of the orders queue, and those that the payload's expression adds.
fn payloads(repository: &Repository) -> Faults {
    let message = repository.events["start-payment"]["ok"]["Records"][0]["body"].as_str().unwrap();
    let message: Value = serde_json::from_str(message).unwrap();
    let mut faults = Faults::new();
    for (_, _, definition) in machines(repository) {
        for Task { state, function, definition } in tasks(definition) {
            let payload = definition["Arguments"]["Payload"].to_string().replace("\\\"", "\"");
            // The whole input, not one member of it.
            let mut after_input = payload.split("$states.context.Execution.Input").skip(1);
            let passes_on = payload.contains("$states.input %") || after_input.any(|after| !after.starts_with('.'));
            let sample = repository.events[&function]["ok"].as_object().expect("a task's input is an object");
            let is_given =
                |member: &str| (passes_on && message.get(member).is_some()) || payload.contains(&format!("\"{member}\":"));
            // A reason is for people. A task works without it.
            let missing = sample.keys().filter(|member| *member != "reason" && !is_given(member));
            faults.extend(missing.map(|member| format!("{state}: gives {function} no {member}")));
        }
    }
    faults
}

#[test]
fn every_task_is_given_what_its_sample_input_has() {
    none(&payloads(&Repository::read()));
    notices(payloads, "NotifyFailed: gives notify-shopper no message", |repository| {
        task(repository, "NotifyFailed")["Arguments"]["Payload"] = json!("{% $states.context.Execution.Input %}");
    });
    notices(payloads, "Refund: gives refund-payment no attempt", |repository| {
        let input = "$states.context.Execution.Input";
        let payload = json!({"order_id": format!("{{% {input}.order_id %}}"), "shopper": format!("{{% {input}.shopper %}}")});
        task(repository, "Refund")["Arguments"]["Payload"] = payload;
    });
}

#[test]
fn nothing_in_the_saga_goes_on_for_ever() {
    none(&bounds(&Repository::read()));
    notices(bounds, "no bound on the whole", |repository| {
        repository.state_machines.get_mut("payment-saga.asl.json").unwrap()["TimeoutSeconds"] = Value::Null;
    });
    notices(bounds, "Refund: gives up before refund-payment", |repository| {
        task(repository, "Refund")["TimeoutSeconds"] = json!(20);
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
