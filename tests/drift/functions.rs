//! A function is a resource of the template, a crate and a log group, all by one name; its sample events are in `events.rs`.

use std::collections::BTreeMap;

use serde_json::json;
use system_tests::{
    Repository,
    template::{self, Function},
};

use crate::{Faults, none, notices};

fn crates(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (name, function) in &functions {
        let properties = &function.resource["Properties"];
        if function.resource["Metadata"] != json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": name}}) {
            faults.push(format!("{}: Metadata does not build the binary {name} with rust-cargolambda", function.logical_id));
        }
        match repository.functions.get(name) {
            None => faults.push(format!("{}: there is no crate {name} in functions/", function.logical_id)),
            Some(found) if properties["CodeUri"] != format!("{}/", found.folder.display()) => {
                let (uri, folder) = (&properties["CodeUri"], found.folder.display());
                faults.push(format!("{}: CodeUri is {uri}, not {folder}/", function.logical_id));
            }
            Some(found) if !found.manifest.contains(&format!("name = \"{name}\"")) => {
                faults.push(format!("functions/{name}: the crate has another name"));
            }
            Some(_) => {}
        }
    }
    let unknown = repository.functions.keys().filter(|name| !functions.contains_key(*name));
    faults.extend(unknown.map(|name| format!("functions/{name} is in no resource of the template")));
    faults
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
    notices(crates, "CodeUri", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["CodeUri"] = json!("functions/shoppers/reserve/");
    });
    notices(crates, "does not build the binary", |repository| {
        repository.template["Resources"]["HealthFunction"]["Metadata"]["BuildProperties"]["Binary"] = json!("reserve");
    });
}

#[test]
fn every_function_has_a_log_group_of_its_own_that_forgets() {
    none(&log_groups(&Repository::read()));
}

#[test]
fn a_log_group_that_is_missing_shared_or_endless_is_noticed() {
    let group = |id: &'static str| {
        move |repository: &mut Repository| {
            repository.template["Resources"]["HealthFunction"]["Properties"]["LoggingConfig"]["LogGroup"] = json!({"Ref": id});
        }
    };
    notices(log_groups, "is no log group", group("StockTable"));
    notices(log_groups, "is named", group("ReserveLogGroup"));
    notices(log_groups, "has no log group", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"].as_object_mut().unwrap().remove("LoggingConfig");
    });
    notices(log_groups, "for ever", |repository| {
        repository.template["Resources"]["HealthLogGroup"]["Properties"].as_object_mut().unwrap().remove("RetentionInDays");
    });
}
