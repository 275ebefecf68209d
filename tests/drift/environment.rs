//! Environment variables: the template sets those that a function asks for when it is wired.

use std::{collections::BTreeSet, sync::Arc};

use kit::{
    Configuration, OsRandomness, SystemClock,
    aws_config::{BehaviorVersion, SdkConfig},
};
use parts::{Parts, Wire};
use serde_json::{Map, Value, json};
use system_tests::{Repository, rust, template};

use crate::{Faults, none, notices, registries::registered};

/// Parts with these variables. Their clients reach no server, because wiring makes no call.
pub(crate) fn parts(variables: &[(&str, &str)]) -> Parts {
    let aws = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).build();
    Parts::new(Configuration::of(variables.iter().copied()), aws, Arc::new(SystemClock), Arc::new(OsRandomness))
}

/// The variables that a function asks for.
pub(crate) fn asked(wire: Wire) -> BTreeSet<String> {
    let mut parts = parts(&[]);
    // Every bootstrap asks for it.
    let _ = parts.edge_secrets();
    // The error about missing variables does not matter here.
    let _ = wire(&mut parts);
    parts.variables().clone()
}

fn variables(repository: &Repository) -> Faults {
    let registered = registered();
    let common = &repository.template["Globals"]["Function"]["Environment"]["Variables"];
    let common: BTreeSet<String> = common.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let (mut faults, mut asked_by_any) = (Faults::new(), BTreeSet::new());
    for (name, function) in template::functions(&repository.template) {
        let Some(wire) = registered.get(name.as_str()) else { continue };
        let asked = asked(*wire);
        let given: BTreeSet<String> = function.variables.keys().cloned().collect();
        // Every function gets the variables of `Globals`, and some functions have no use for them.
        let unread = given.difference(&asked).filter(|variable| !common.contains(*variable));
        faults.extend(unread.map(|variable| format!("{name}: the template sets {variable}, which no code asks for")));
        let missing = asked.difference(&given);
        faults.extend(missing.map(|variable| format!("{name}: the code asks for {variable}, which the template does not set")));
        asked_by_any.extend(asked);
    }
    faults.extend(common.difference(&asked_by_any).map(|variable| format!("no function asks for {variable}")));
    faults
}

/// Code that reads one of the template's variables itself, where `asked` does not see it.
fn read_elsewhere(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let known: BTreeSet<&String> = functions.values().flat_map(|function| function.variables.keys()).collect();
    let crates = repository.functions.iter().chain(repository.shared.iter().filter(|(name, _)| *name != "parts"));
    let literals = crates.flat_map(|(name, one)| {
        one.sources.values().flat_map(|text| rust::string_literals(text)).map(move |literal| (name, literal))
    });
    let read = literals.filter(|(_, literal)| known.contains(literal));
    read.map(|(name, variable)| format!("{name} names {variable}, which is for shared/parts to read")).collect()
}

#[test]
fn every_variable_is_set_where_it_is_asked_for_and_asked_for_where_it_is_set() {
    none(&variables(&Repository::read()));
}

#[test]
fn a_variable_that_is_only_set_or_only_asked_for_is_noticed() {
    notices(variables, "health: the code asks for ORDERS_QUEUE_URL, which the template does not set", |repository| {
        of_health(repository).remove("ORDERS_QUEUE_URL");
    });
    notices(variables, "health: the template sets EXPIRY_QUEUE_URL, which no code asks for", |repository| {
        of_health(repository).insert("EXPIRY_QUEUE_URL".to_owned(), json!("x"));
    });
    notices(variables, "no function asks for EVERYWHERE", |repository| {
        repository.template["Globals"]["Function"]["Environment"]["Variables"]["EVERYWHERE"] = json!("x");
    });
}

#[test]
fn only_the_composition_root_names_a_variable() {
    none(&read_elsewhere(&Repository::read()));
}

#[test]
fn a_variable_that_is_read_elsewhere_is_noticed() {
    notices(read_elsewhere, "health names STOCK_TABLE", |repository| {
        let code = "fn f() { std::env::var(\"STOCK_TABLE\"); }".to_owned();
        repository.functions.get_mut("health").unwrap().sources.insert("more.rs".into(), code);
    });
    notices(read_elsewhere, "kit names ENVIRONMENT", |repository| {
        let code = "fn f() { std::env::var(\"ENVIRONMENT\"); }".to_owned();
        repository.shared.get_mut("kit").unwrap().sources.insert("more.rs".into(), code);
    });
}

fn of_health(repository: &mut Repository) -> &mut Map<String, Value> {
    let function = &mut repository.template["Resources"]["HealthFunction"]["Properties"];
    function["Environment"]["Variables"].as_object_mut().unwrap()
}
