//! Environment variables: what a function's code reads is what the template gives it.
//!
//! Here by the names in the sources. `bootstraps/` starts each built function without them and sees which ones it misses.

use std::collections::BTreeSet;

use serde_json::json;
use system_tests::{Repository, rust, template};

use crate::{Faults, none, notices};

/// What every function gets from `Globals`, read in the kit.
const EVERYWHERE: [&str; 1] = ["ENVIRONMENT"];

fn variables(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let known: BTreeSet<&String> = functions.values().flat_map(|function| function.variables.keys()).collect();
    let shared: BTreeSet<String> =
        repository.shared.values().flat_map(|one| one.sources.values()).flat_map(|text| names(text)).collect();
    let mut faults = Faults::new();
    for (name, function) in &functions {
        let Some(own) = repository.functions.get(name) else { continue };
        // A function may be built of others: place-order is reserve and checkout.
        let dependencies = own.manifest.split("[dev-dependencies]").next().unwrap_or_default();
        let parts = repository.functions.iter().filter(|(part, _)| dependencies.contains(&format!("\n{part}.workspace = true")));
        let sources = parts.map(|(_, part)| part).chain([own]).flat_map(|part| part.sources.values());
        let own: BTreeSet<String> = sources.flat_map(|text| names(text)).collect();
        let given = function.variables.keys().filter(|variable| !EVERYWHERE.contains(&variable.as_str()));
        let unread = given.filter(|variable| !own.contains(*variable) && !shared.contains(*variable));
        faults.extend(unread.map(|variable| format!("{name}: the template sets {variable}, which no code reads")));
        let missing = own.iter().filter(|variable| !function.variables.contains_key(*variable));
        faults.extend(missing.map(|variable| format!("{name}: the code reads {variable}, which the template does not set")));
    }
    let read: BTreeSet<String> = repository.product_sources().flat_map(names).collect();
    faults.extend(
        known.iter().filter(|variable| !read.contains(**variable)).map(|variable| format!("{variable} is read by nothing")),
    );
    faults
}

/// The literals that look like variables of ours: `STOCK_TABLE`, and `ENVIRONMENT`.
fn names(source: &str) -> BTreeSet<String> {
    let shouted = |text: &String| {
        let letters = text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        letters
            && (EVERYWHERE.contains(&text.as_str())
                || ["_TABLE", "_URL", "_ARN", "_HEADER", "_GATEWAYS"].iter().any(|end| text.ends_with(end)))
    };
    rust::string_literals(source).into_iter().filter(shouted).collect()
}

#[test]
fn every_variable_is_set_where_it_is_read_and_read_where_it_is_set() {
    none(&variables(&Repository::read()));
}

#[test]
fn a_variable_that_is_only_set_or_only_read_is_noticed() {
    notices(variables, "health: the code reads EXPIRY_QUEUE_URL", |repository| {
        let main = "fn main() { env.text(\"EXPIRY_QUEUE_URL\"); }".to_owned();
        repository.functions.get_mut("health").unwrap().sources.insert("more.rs".into(), main);
    });
    notices(variables, "health: the template sets EXPIRY_QUEUE_URL", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["Environment"]["Variables"]["EXPIRY_QUEUE_URL"] =
            json!("x");
    });
}
