//! The built functions under Lambda's Runtime Interface Emulator. Each runs as on AWS: the group's bootstrap gets the function's
//! handler and variables from the template, a sample event, and only the permissions that its policy grants.
//!
//! Every case has its own tables on the local stack's emulator, and a fresh process.

// All of this is test code, and what runs for real has the real time.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod answers;
mod gateway;
mod interface;
mod left;
mod services;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;
use system_tests::{Repository, permissions, template};
use test_cases::{Answer, CARD_NUMBER};
use test_shop::Shop;

use crate::{gateway::Gateway, interface::Interface, services::Services};

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test"]
async fn every_event_is_answered_as_expected_within_the_permissions_of_its_function() {
    interface::build();
    let repository = Repository::read();
    let functions = template::functions(&repository.template);
    let services = Services::make().await;
    let mut faults = Vec::new();
    let mut used = permissions::Permissions::new();
    for (name, function) in &functions {
        for case in repository.cases.iter().filter(|case| case.function == name) {
            let event = case.json();
            for expected in &case.expected {
                let shop = Shop::at(services.endpoint()).await;
                shop.give(expected.given).await;
                let names = services.physical_names(&shop.dynamo);
                let gateway = Gateway::open(services.endpoint(), name, &names, &repository);
                let mut variables = variables(&repository.template, function, &names, expected.trust_user_id_header);
                if expected.has_accounts {
                    variables.insert("PAYMENT_GATEWAYS".to_owned(), "stripe=pk_test_1,paypal=client".to_owned());
                }
                let has_card_number = event["body"].as_str().is_some_and(|body| body.contains(CARD_NUMBER));
                if has_card_number {
                    // Not even then is a body in the log.
                    variables.insert("RUST_LOG".to_owned(), "trace".to_owned());
                }
                let interface = Interface::start(function, &variables, &gateway.endpoint());
                let mut answer = Value::Null;
                for _ in 0..expected.times {
                    answer = interface.invoke(&event).await;
                }
                let log = interface.stop();
                let (calls, refused) = gateway.close();
                for (resource, action) in calls {
                    used.entry((name.clone(), resource)).or_default().insert(action);
                }
                let found = answers::faults(&event, &answer, &expected.answer).into_iter().chain(refused);
                let is_logged = has_card_number && log.contains(CARD_NUMBER);
                let found = found.chain(is_logged.then(|| "the card number is in the log".to_owned()));
                let is_http = matches!(expected.answer, Answer::Http { .. });
                let found = found.chain(is_http.then(|| answers::undescribed(&event, &answer)).into_iter().flatten());
                let found: Vec<String> = found.chain(left::faults(&shop, expected).await).collect();
                if !found.is_empty() {
                    let log = log.replace('\n', "\n       ");
                    faults.push(format!(
                        "events/{name}/{}.json, given {:?}: {}\n  answer: {answer}\n  log: {log}",
                        case.name,
                        expected.given,
                        found.join("; ")
                    ));
                }
            }
        }
    }
    services.remove().await;
    assert!(faults.is_empty(), "{} answer(s) are not as expected:\n{}", faults.len(), faults.join("\n"));
    let unused = unused(&repository, &used);
    assert!(unused.is_empty(), "granted, but no event makes use of it:\n{}", unused.join("\n"));
}

#[test]
#[ignore = "builds all functions: cargo xtask test"]
fn every_function_misses_exactly_the_variables_that_the_template_gives_it() {
    interface::build();
    let repository = Repository::read();
    let mut faults = Vec::new();
    for (name, function) in template::functions(&repository.template) {
        let asked = interface::variables_asked_for(&function);
        // The kit reads `ENVIRONMENT` for every function, but only where the value decides something. Without a return
        // URL only PayPal's payments are refused, one by one.
        // Without a list of origins, every page may read the answers; without an edge, there is nobody to be told, and requests come
        // from anywhere.
        let optional = ["ALLOWED_ORIGINS", "EDGE_STORE_ARN", "ENVIRONMENT", "ORIGIN_SECRETS", "PAYMENT_RETURN_URL"];
        let is_compared = |variable: &&String| !optional.contains(&variable.as_str());
        let given: Vec<&String> = function.variables.keys().filter(is_compared).collect();
        let asked: Vec<&String> = asked.iter().filter(is_compared).collect();
        if asked != given {
            faults.push(format!("{name} asks for {asked:?}, the template gives {given:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
#[ignore = "builds all functions: cargo xtask test"]
fn a_bootstrap_without_the_handlers_function_fails_at_the_start_and_names_those_that_it_serves() {
    interface::build();
    let mut groups = BTreeMap::<String, BTreeSet<String>>::new();
    for function in template::functions(&Repository::read().template).into_values() {
        groups.entry(function.binary).or_default().insert(function.handler);
    }
    assert_eq!(groups.len(), 5, "{groups:?}");
    for (binary, functions) in &groups {
        for (handler, found) in [(Some("oversell"), "\"oversell\""), (Some(""), "missing"), (None, "missing")] {
            let said = interface::complaint(binary, handler, &[]);
            let (before, listed) = said.split_once(": this bootstrap serves ").unwrap_or_else(|| panic!("{binary}: {said:?}"));
            assert!(before.ends_with(&format!("_HANDLER is {found}")), "{binary}: {said}");
            let listed: BTreeSet<String> = listed.split(", ").map(str::to_owned).collect();
            assert_eq!(&listed, functions, "{binary}");
        }
    }
}

/// The function's variables with the template's references resolved.
fn variables(
    template: &Value,
    function: &template::Function,
    names: &BTreeMap<&'static str, String>,
    trust_user_id_header: bool,
) -> BTreeMap<String, String> {
    // No condition holds with the parameters' defaults.
    let chosen = |mut value: &Value| {
        while value["Fn::If"].is_array() {
            value = &value["Fn::If"][2];
        }
        value.clone()
    };
    let resolve = |value: &Value| -> String {
        let value = &chosen(value);
        match value["Ref"].as_str() {
            Some("Environment") => "local".to_owned(),
            Some("TrustUserIdHeader") => trust_user_id_header.to_string(),
            Some(id) if !template["Parameters"][id]["Default"].is_null() => {
                let default = &template["Parameters"][id]["Default"];
                default.as_str().map_or_else(|| default.to_string(), str::to_owned)
            }
            Some(id) => names.get(id).unwrap_or_else(|| panic!("nothing stands for {id}")).clone(),
            None if value["Fn::Sub"].is_string() => {
                let text = value["Fn::Sub"].as_str().unwrap();
                let names = [("AWS::StackName", "stack"), ("AWS::Region", "us-east-1"), ("AWS::URLSuffix", "amazonaws.com")];
                names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
            }
            None => value.as_str().unwrap_or_else(|| panic!("cannot resolve {value}")).to_owned(),
        }
    };
    function.variables.iter().map(|(name, value)| (name.clone(), resolve(value))).collect()
}

/// The actions that each function was granted and never used, in all states that the events meet.
fn unused(repository: &Repository, used: &permissions::Permissions) -> Vec<String> {
    let (granted, _) = permissions::read(&repository.documents[Path::new(permissions::DOCUMENT)]);
    let mut unused = Vec::new();
    for ((function, resource), actions) in granted {
        let nothing = BTreeSet::new();
        let used = used.get(&(function.clone(), resource.clone())).unwrap_or(&nothing);
        let is_elsewhere = |action: &&String| {
            is_for_lambda(&function, &resource, action)
                || takes_signed_events(&function)
                || is_at_the_edge(&function, &resource)
                || is_for_providers(&function, &resource, action)
        };
        let left = actions.difference(used).filter(|action| !is_elsewhere(action));
        unused.extend(left.map(|action| format!("{function}: {action} on {resource}")));
    }
    unused
}

/// Payments of the sandbox need no keys and are never late, and in no state of the events has a shopper just acted, or to act for the
/// first time. `tests/functions` and the local stack show these.
fn is_for_providers(function: &str, resource: &str, action: &str) -> bool {
    match function {
        "settle-payment" => (resource, action) != ("OrderTable", "dynamodb:GetItem"),
        "charge-payment" if resource == "ReservationTable" => true,
        _ => resource == "payment secrets",
    }
}

/// Without a stack at the edge, nobody is told of a sale. `tests/functions` and the local stack show it.
fn is_at_the_edge(function: &str, resource: &str) -> bool {
    function == "feed-edge" || resource == "EdgeStoreArn"
}

/// The function does nothing with an event that is not signed at this moment, so no file shows what it does.
fn takes_signed_events(function: &str) -> bool {
    ["receive-paypal", "receive-stripe"].contains(&function)
}

/// Lambda itself uses the function's permissions to read queues and streams, and to send what it gives up to the failure queue.
fn is_for_lambda(function: &str, resource: &str, action: &str) -> bool {
    let reads_queue = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    let is_reader = ["expire-reservation", "settle-payment", "start-payment"].contains(&function);
    resource.contains("stream") || resource == "StreamFailuresQueue" || (is_reader && reads_queue.contains(&action))
}
