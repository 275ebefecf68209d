//! What others have written and the product links: under licences that `deny.toml` allows, from crates.io, at pinned versions.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;
use spdx::{Expression, ParseMode};
use system_tests::{Repository, repository};

use crate::Faults;

/// A crate that cargo has resolved for this machine.
#[derive(Debug, Clone)]
struct Linked {
    name: String,
    licence: Option<String>,
    /// `None`: it is in this repository.
    source: Option<String>,
}

fn linked() -> Vec<Linked> {
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned();
    let arguments = ["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", &host];
    let metadata = output(Command::new(env!("CARGO")).args(arguments).current_dir(repository::root()));
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo answers with JSON");
    // `packages` has those of other platforms, too; `resolve` has not.
    let nodes: BTreeSet<&str> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().filter_map(|it| it["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().unwrap().iter().filter(|it| nodes.contains(it["id"].as_str().unwrap()));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    packages
        .map(|it| Linked { name: text(&it["name"]).unwrap(), licence: text(&it["license"]), source: text(&it["source"]) })
        .collect()
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the tool runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the tool answers with text")
}

/// The texts in the list `name` of `deny.toml`.
fn allowed(name: &str) -> BTreeSet<String> {
    let deny = std::fs::read_to_string(repository::root().join("deny.toml")).expect("deny.toml is there");
    let list = deny.lines().find_map(|line| line.strip_prefix(&format!("{name} = ["))).expect("the list is in one line");
    list.trim_end_matches(']').split(", ").map(|text| text.trim_matches('"').to_owned()).collect()
}

fn faults(linked: &[Linked], licences: &BTreeSet<String>, registries: &BTreeSet<String>) -> Faults {
    let mut faults = Faults::new();
    for Linked { name, licence, source } in linked {
        let expression = licence.as_deref().and_then(|licence| Expression::parse_mode(licence, ParseMode::LAX).ok());
        let is_allowed = expression.is_some_and(|expression| {
            expression.evaluate(|one| one.license.id().is_some_and(|id| licences.contains(id.name)) && one.addition.is_none())
        });
        if !is_allowed {
            faults.push(format!("{name} has the licence {licence:?}, which deny.toml does not allow"));
        }
        let from = source.as_deref().map(|source| source.strip_prefix("registry+").unwrap_or(source));
        if from.is_some_and(|from| !registries.contains(from)) {
            faults.push(format!("{name} comes from {from:?}, which deny.toml does not allow"));
        }
    }
    faults
}

#[test]
fn everything_linked_has_a_licence_and_a_source_that_are_allowed() {
    let (licences, registries) = (allowed("allow"), allowed("allow-registry"));
    let mut linked = linked();
    assert!(linked.len() > 100, "{} crates", linked.len());
    assert_eq!(faults(&linked, &licences, &registries), Faults::new());
    // What is not allowed is noticed.
    let found = linked.iter_mut().find(|one| one.name == "hyper").unwrap();
    found.licence = Some("GPL-3.0-only OR AGPL-3.0".to_owned());
    found.source = Some("git+https://example.com/hyper".to_owned());
    let faults = faults(&linked, &licences, &registries);
    assert!(faults.len() == 2 && faults.iter().all(|fault| fault.starts_with("hyper")), "{faults:?}");
}

/// A version that may grow by itself is not what was tested.
#[test]
fn the_workspace_pins_the_version_of_each_crate_of_others() {
    let manifest = std::fs::read_to_string(repository::root().join(Path::new("Cargo.toml"))).unwrap();
    let dependencies = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let mut seen = 0;
    for line in dependencies.lines().filter(|line| line.contains(" = ") && !line.contains("path = ") && !line.starts_with('#')) {
        assert!(line.contains("\"="), "the version is not pinned: {line}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
    // No crate of others is named with a version elsewhere.
    for (name, package) in &Repository::read().packages {
        let text = std::fs::read_to_string(repository::root().join(&package.folder).join("Cargo.toml")).unwrap();
        let own = text.lines().find(|line| line.contains("version = \""));
        assert_eq!(own, None, "{name} names a version of its own");
    }
}
