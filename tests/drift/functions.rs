//! A function is a resource of the template, a crate and a log group, all by one name. `events.rs` checks its sample events,
//! `registries.rs` checks the list of its group's bootstrap.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Value, json};
use system_tests::{
    Repository,
    repository::bootstrap_of,
    template::{self, Function},
};

use crate::{Faults, none, notices};

fn crates(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (name, function) in &functions {
        match repository.functions.get(name) {
            None => faults.push(format!("{}: there is no crate {name} in functions/", function.logical_id)),
            Some(found) if !found.manifest.contains(&format!("name = \"{name}\"")) => {
                faults.push(format!("functions/{name}: the crate has another name"));
            }
            Some(found) => {
                let group = found.folder.parent().unwrap_or(Path::new(""));
                if let Err(fault) = served_by(repository, function, &bootstrap_of(group)) {
                    faults.push(format!("{}: {fault}", function.logical_id));
                }
            }
        }
    }
    let unknown = repository.functions.keys().filter(|name| !functions.contains_key(*name));
    faults.extend(unknown.map(|name| format!("functions/{name} is in no resource of the template")));
    faults
}

/// Checks that the template builds this folder's bootstrap, as for the group's other functions, and names the function as the
/// handler.
fn served_by(repository: &Repository, function: &Function, bootstrap: &Path) -> Result<(), String> {
    let Function { name, handler, binary, resource, .. } = function;
    let programs = repository.packages.values().filter(|package| package.folder == bootstrap).map(|package| &package.binaries);
    if !programs.eq([&BTreeSet::from([binary.clone()])]) {
        return Err(format!("{} has no binary {binary:?}", bootstrap.display()));
    }
    if handler != name {
        return Err(format!("Handler is {handler:?}, not {name}"));
    }
    let folder = format!("{}/", bootstrap.display());
    if resource["Properties"]["CodeUri"] != folder {
        return Err(format!("CodeUri is {}, not {folder}", resource["Properties"]["CodeUri"]));
    }
    // SAM builds once for all functions that share CodeUri and Metadata.
    let metadata = json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": binary}});
    if resource["Metadata"] != metadata {
        return Err(format!("Metadata is not {metadata}"));
    }
    Ok(())
}

fn log_groups(repository: &Repository) -> Faults {
    let mut owners = BTreeMap::<String, String>::new();
    let mut faults = Faults::new();
    for function in template::functions(&repository.template).values() {
        if let Err(fault) = log_group(repository, function, &mut owners) {
            faults.push(format!("{}: {fault}", function.logical_id));
        }
    }
    faults
}

fn log_group(repository: &Repository, function: &Function, owners: &mut BTreeMap<String, String>) -> Result<(), String> {
    let configured = &function.resource["Properties"]["LoggingConfig"]["LogGroup"];
    let id = configured["Ref"].as_str().ok_or("has no log group of its own")?;
    let group = &repository.template["Resources"][id];
    if group["Type"] != "AWS::Logs::LogGroup" {
        return Err(format!("{id} is no log group"));
    }
    if group["Properties"]["RetentionInDays"] != json!({"Ref": "LogRetentionDays"}) {
        return Err(format!("{id} keeps its logs for ever"));
    }
    let named = group["Properties"]["LogGroupName"]["Fn::Sub"].as_str().unwrap_or_default();
    if !named.ends_with(&format!("/{}", function.name)) {
        return Err(format!("{id} is named {named:?}"));
    }
    match owners.insert(id.to_owned(), function.logical_id.clone()) {
        Some(other) => Err(format!("shares {id} with {other}")),
        None => Ok(()),
    }
}

#[test]
fn every_function_of_the_template_is_a_crate_and_every_crate_is_a_function() {
    none(&crates(&Repository::read()));
}

#[test]
fn a_function_without_a_crate_or_a_crate_without_a_function_is_noticed() {
    notices(crates, "no crate health in functions/", |repository| {
        repository.functions.remove("health");
    });
    notices(crates, "functions/oversell is in no resource", |repository| {
        repository.functions.insert("oversell".to_owned(), system_tests::repository::Crate::default());
    });
    notices(crates, "the crate has another name", |repository| {
        repository.functions.get_mut("health").unwrap().manifest.clear();
    });
}

#[test]
fn a_function_that_is_not_served_by_its_groups_bootstrap_is_noticed() {
    let health = |part: &'static str, name: &'static str, value: Value| {
        move |repository: &mut Repository| repository.template["Resources"]["HealthFunction"][part][name] = value
    };
    notices(crates, "CodeUri is", health("Properties", "CodeUri", json!("functions/operators/health/")));
    notices(crates, "Handler is \"bootstrap\"", health("Properties", "Handler", json!("bootstrap")));
    notices(crates, "no binary \"shoppers\"", health("Metadata", "BuildProperties", json!({"Binary": "shoppers"})));
    notices(crates, "Metadata is not", health("Metadata", "BuildMethod", json!("makefile")));
    notices(crates, "functions/workers/bootstrap has no binary \"operators\"", |repository| {
        repository.functions.get_mut("health").unwrap().folder = "functions/workers/health".into();
    });
}

#[test]
fn every_function_has_a_log_group_of_its_own_that_forgets() {
    none(&log_groups(&Repository::read()));
}

#[test]
fn a_log_group_that_is_missing_shared_or_endless_is_noticed() {
    notices(log_groups, "is no log group", logging_to("StockTable"));
    notices(log_groups, "is named", logging_to("ReserveLogGroup"));
    notices(log_groups, "has no log group", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"].as_object_mut().unwrap().remove("LoggingConfig");
    });
    notices(log_groups, "for ever", |repository| {
        repository.template["Resources"]["HealthLogGroup"]["Properties"].as_object_mut().unwrap().remove("RetentionInDays");
    });
}

fn logging_to(id: &str) -> impl FnOnce(&mut Repository) {
    move |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["LoggingConfig"]["LogGroup"] = json!({"Ref": id});
    }
}
