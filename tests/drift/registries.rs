//! Registries: each group lists its own functions, with the trigger that the template gives them.

use std::collections::BTreeMap;

use parts::{Registry, Wire};
use serde_json::{Value, json};
use system_tests::{
    Repository,
    template::{self, Function},
};

use crate::{Faults, environment::parts, none, notices};

/// The registries by the folder of their group.
const REGISTRIES: [(&str, Registry); 6] = [
    ("gate", gate::FUNCTIONS),
    // Both judge callers by signatures, and share a bootstrap.
    ("webhooks", gate::FUNCTIONS),
    ("shoppers", shoppers::FUNCTIONS),
    ("operators", operators::FUNCTIONS),
    ("saga", saga_tasks::FUNCTIONS),
    ("workers", workers::FUNCTIONS),
];

/// Every function of every group.
pub(crate) fn registered() -> BTreeMap<&'static str, Wire> {
    REGISTRIES.into_iter().flat_map(|(_, registry)| registry.iter().copied()).collect()
}

fn registries(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (name, found) in &repository.functions {
        let group = found.folder.parent().and_then(|group| group.file_name()).unwrap_or_default();
        let registry = REGISTRIES.iter().find(|(folder, _)| group == *folder);
        let Some(wire) = registry.and_then(|(_, registry)| parts::find(registry, name)) else {
            faults.push(format!("{name} is not in the registry of {}", group.display()));
            continue;
        };
        let Some(function) = functions.get(name) else { continue };
        let (expected, found) = (trigger(&repository.template, function), invoked_by(wire));
        if expected != found {
            faults.push(format!("{name}: the template invokes it by {expected}, its registry lists it for {found}"));
        }
    }
    let listed = REGISTRIES.iter().flat_map(|(group, registry)| registry.iter().map(move |(name, _)| (group, *name)));
    let unknown = listed.filter(|(_, name)| !repository.functions.contains_key(*name));
    faults.extend(unknown.map(|(group, name)| format!("the registry of {group} lists {name}, which has no crate")));
    faults
}

/// The triggers of a function in the template: its events, event source mappings and the API's authorizers, or else the state machine.
fn trigger(template: &Value, function: &Function) -> String {
    let events = function.resource["Properties"]["Events"].as_object().into_iter().flatten();
    let by_events = events.map(|(_, event)| match event["Type"].as_str().unwrap_or_default() {
        "Api" => "HTTP",
        "Schedule" | "ScheduleV2" => "a schedule",
        other => panic!("what is {other}?"),
    });
    let mappings = template::resources(template, "AWS::Lambda::EventSourceMapping").map(|(_, mapping)| &mapping["Properties"]);
    let own = mappings.filter(|mapping| template::target(&mapping["FunctionName"]) == Some(&function.logical_id));
    let by_mappings = own.map(|mapping| {
        let source = template::target(&mapping["EventSourceArn"]).unwrap_or_default();
        match template["Resources"][source]["Type"].as_str().unwrap_or_default() {
            "AWS::SQS::Queue" => "a queue",
            "AWS::DynamoDB::Table" => "a stream",
            other => panic!("what is {other}?"),
        }
    });
    let authorizers = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"].as_object().into_iter().flatten();
    let of_api = authorizers.filter(|(_, authorizer)| template::target(&authorizer["FunctionArn"]) == Some(&function.logical_id));
    let of_api = of_api.map(|_| "the API's authorizer");
    let mut triggers: Vec<&str> = by_events.chain(by_mappings).chain(of_api).collect();
    triggers.dedup();
    if triggers.is_empty() { "the saga".to_owned() } else { triggers.join(" and ") }
}

/// The trigger that a function accepts once it is wired with all its variables.
fn invoked_by(wire: Wire) -> String {
    let values = [
        ("CUSTOMER_ISSUER", "https://customers"),
        ("CUSTOMER_KEYS_URL", "https://customers/keys"),
        ("ENVIRONMENT", "local"),
        ("OPERATOR_ISSUER", "https://operators"),
        ("OPERATOR_KEYS_URL", "https://operators/keys"),
        ("PAYMENT_GATEWAYS", "sandbox"),
        ("PAYMENTS_PER_SECOND", "0"),
        ("PAYPAL_URL", "https://x"),
        ("SHOPPER_RATE", "1"),
        ("STRIPE_URL", "https://x"),
        ("TRUST_USER_ID_HEADER", "false"),
    ];
    let asked = crate::environment::asked(wire);
    let value = |name: &str| values.into_iter().find(|(known, _)| *known == name).map_or("x", |(_, value)| value);
    let variables: Vec<(&str, &str)> = asked.iter().map(|name| (name.as_str(), value(name))).collect();
    let invoked_by = match wire(&mut parts(&variables)) {
        Ok(kit::Function::Authorizer(_)) => "the API's authorizer",
        Ok(kit::Function::Http(_)) => "HTTP",
        Ok(kit::Function::Queue(_)) => "a queue",
        Ok(kit::Function::Stream(_)) => "a stream",
        Ok(kit::Function::Task(_)) => "the saga",
        Ok(kit::Function::Schedule(_)) => "a schedule",
        Err(error) => panic!("{error}"),
    };
    invoked_by.to_owned()
}

#[test]
fn every_function_is_in_the_registry_of_its_group_as_what_the_template_invokes_it_by() {
    none(&registries(&Repository::read()));
}

#[test]
fn a_function_that_is_not_listed_or_invoked_by_something_else_is_noticed() {
    notices(registries, "health is not in the registry of workers", |repository| {
        repository.functions.get_mut("health").unwrap().folder = "functions/workers/health".into();
    });
    notices(registries, "the registry of operators lists health, which has no crate", |repository| {
        repository.functions.remove("health");
    });
    notices(registries, "oversell is not in the registry of shoppers", |repository| {
        let folder = "functions/shoppers/oversell".into();
        let oversell = system_tests::repository::Crate { folder, ..Default::default() };
        repository.functions.insert("oversell".to_owned(), oversell);
    });
    notices(registries, "health: the template invokes it by the saga, its registry lists it for HTTP", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["Events"] = json!({});
    });
}
