//! `sam build` deploys what the sources say, and nothing more.

use serde_json::{Value, json};
use system_tests::{Repository, linked};

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
