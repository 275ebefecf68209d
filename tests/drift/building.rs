//! `sam build` deploys what the sources say, and nothing more. It compiles each dependency once.

use std::{collections::BTreeMap, process::Command};

use serde_json::{Value, json};
use system_tests::{Repository, linked, repository};

use crate::{Faults, none, notices};

/// SAM's cache compares only the files below `CodeUri` and the parameters of the build. A function's code is in `shared/` too.
fn caches(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (section, settings) in &repository.samconfig {
        let cached = settings.get("cached");
        let builds = section.ends_with(".build.parameters");
        if cached.is_some_and(|cached| *cached != Value::Bool(false)) || (builds && cached.is_none()) {
            faults.push(format!("samconfig.toml: [{section}] has to say cached = false, or changes of shared/ are not deployed"));
        }
    }
    faults
}

/// The folders of the crates that may be deployed.
const PRODUCT: [&str; 2] = ["functions", "shared"];

/// `cargo tree -e normal` of every bootstrap shows no crate of `bench/`, `tests/` or `xtask/`.
fn linked_crates(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let is_product = |package: &linked::Package| PRODUCT.iter().any(|folder| package.folder.starts_with(folder));
    for (name, package) in &repository.packages {
        if package.binaries.is_empty() || !package.folder.starts_with("functions") {
            continue;
        }
        let linked = linked::reachable(&repository.packages, name);
        if !linked.contains("kit") {
            faults.push(format!("{name}: a bootstrap without the runtime kit serves nothing; are its dependencies known?"));
        }
        for other in linked.into_iter().filter(|other| !is_product(&repository.packages[*other])) {
            let folder = repository.packages[other].folder.display();
            faults.push(format!("{name}: its bootstrap is linked with {other}, from {folder}"));
        }
    }
    faults
}

/// What `cargo tree` says of a bootstrap: a line for each linked package, with its features.
fn tree(bootstrap: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", bootstrap, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p} {f}"])
        .current_dir(repository::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `sam build` compiles one group after the other. A package with other features in the next group is compiled again, and with it
/// all that depends on it.
fn built_twice(trees: &BTreeMap<String, String>) -> Faults {
    let mut seen: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::new();
    let mut faults = Faults::new();
    for (bootstrap, tree) in trees {
        for line in tree.lines().map(|line| line.trim_end_matches(" (*)")) {
            let mut words = line.splitn(3, ' ');
            let (Some(name), Some(version), features) = (words.next(), words.next(), words.next().unwrap_or("")) else {
                continue;
            };
            let (first, known) = *seen.entry((name, version)).or_insert((bootstrap, features));
            if known != features {
                faults.push(format!("{name} {version} has the features {known:?} in {first} and {features:?} in {bootstrap}"));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

#[test]
fn every_group_has_its_dependencies_with_the_same_features() {
    let repository = Repository::read();
    let is_bootstrap = |package: &linked::Package| !package.binaries.is_empty() && package.folder.starts_with("functions");
    let bootstraps = repository.packages.iter().filter(|(_, package)| is_bootstrap(package));
    let mut trees: BTreeMap<String, String> = bootstraps.map(|(name, _)| (name.clone(), tree(name))).collect();
    assert!(trees.len() > 1);
    none(&built_twice(&trees));
    // Another feature in one group is noticed.
    let workers = trees["workers"].clone();
    let hyper = workers.lines().find(|line| line.starts_with("hyper v") && !line.ends_with("(*)")).unwrap();
    trees.insert("workers".to_owned(), workers.replace(hyper, &format!("{hyper},more")));
    let faults = built_twice(&trees);
    assert!(faults.len() == 1 && faults[0].starts_with("hyper v1"), "{faults:?}");
}

#[test]
fn sam_builds_without_its_cache_in_every_environment() {
    none(&caches(&Repository::read()));
}

#[test]
fn a_cache_that_is_on_or_not_ruled_out_is_noticed() {
    notices(caches, "[staging.build.parameters]", with_a_cache("staging.build.parameters"));
    notices(caches, "[prod.global.parameters]", with_a_cache("prod.global.parameters"));
    notices(caches, "[prod.build.parameters]", |repository| {
        repository.samconfig.get_mut("prod.build.parameters").unwrap().remove("cached");
    });
}

fn with_a_cache(section: &str) -> impl FnOnce(&mut Repository) {
    move |repository| _ = repository.samconfig.entry(section.to_owned()).or_default().insert("cached".to_owned(), json!(true))
}

#[test]
fn nothing_that_tests_is_linked_into_a_bootstrap() {
    none(&linked_crates(&Repository::read()));
}

#[test]
fn a_bootstrap_that_is_linked_with_a_test_crate_is_noticed() {
    notices(linked_crates, "operators: its bootstrap is linked with xtask, from xtask", with_a_dependency("health", "xtask"));
    // An indirect dependency. `kit` also has `test-aws` for its tests, which is no fault.
    notices(linked_crates, "workers: its bootstrap is linked with test-aws, from tests/support/aws", |repository| {
        repository.packages.retain(|name, package| package.binaries.is_empty() || name == "workers");
        with_a_dependency("kit", "test-aws")(repository);
    });
    notices(linked_crates, "operators: a bootstrap without", |repository| {
        repository.packages.get_mut("operators").unwrap().dependencies.clear();
    });
}

fn with_a_dependency(package: &str, other: &str) -> impl FnOnce(&mut Repository) {
    move |repository| {
        assert!(repository.packages.contains_key(other));
        repository.packages.get_mut(package).unwrap().dependencies.insert(other.to_owned());
    }
}
