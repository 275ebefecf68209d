//! `sam build`: what it deploys is what the sources say.

use serde_json::{Value, json};
use system_tests::Repository;

use crate::{Faults, none, notices};

/// SAM's cache compares the files below `CodeUri`, and the parameters that decide about it. A function's code is in `shared/` too.
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

#[test]
fn sam_builds_without_its_cache_in_every_environment() {
    none(&caches(&Repository::read()));
}

#[test]
fn a_cache_that_is_on_or_not_ruled_out_is_noticed() {
    let set = |section: &'static str| {
        move |repository: &mut Repository| {
            repository.samconfig.entry(section.to_owned()).or_default().insert("cached".to_owned(), json!(true));
        }
    };
    notices(caches, "[staging.build.parameters]", set("staging.build.parameters"));
    notices(caches, "[prod.global.parameters]", set("prod.global.parameters"));
    notices(caches, "[prod.build.parameters]", |repository| {
        repository.samconfig.get_mut("prod.build.parameters").unwrap().remove("cached");
    });
}
