//! The simulation itself: it repeats itself, and what once failed is tried again.

use std::{collections::BTreeSet, path::PathBuf};

use kit::workers::{EventRecord, StreamEvent};
use serde_json::{from_value, json};
use simulation::{
    FUNCTIONS, Fault, Faults, History, MUTATIONS, READERS, RETURNS_SOON, passes, run, run_recorded, run_seeds, timeout_seconds,
};
use system_tests::{Repository, template};
use test_aws::event_as;

#[test]
fn the_same_seed_has_the_same_history_byte_for_byte() {
    for seed in [1, 2, 1_000_000] {
        let (one, other) = (run_recorded(seed, &Faults::all(), None), run_recorded(seed, &Faults::all(), None));
        assert!(one.lines.len() > 50, "hardly anything happens with seed {seed}");
        for (n, (one, other)) in one.lines.iter().zip(&other.lines).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {n}");
        }
        assert_eq!(one, other);
        // Failures are found without a record, and printed from one.
        assert_eq!(run(seed, &Faults::all(), None), History { lines: Vec::new(), ..one });
    }
}

#[test]
fn another_seed_has_another_history() {
    assert_ne!(run_recorded(1, &Faults::all(), None).lines, run_recorded(2, &Faults::all(), None).lines);
}

#[test]
fn without_faults_nothing_goes_wrong_and_none_is_counted() {
    let summary = run_seeds(1..=20, &Faults::none(), None, 2, false);
    assert_eq!(summary.failed, []);
    assert!(summary.injected.is_empty());
}

/// Every hold returns soon after its end, also one that a declined payment has prolonged.
#[test]
fn with_declined_payments_only_nothing_goes_wrong() {
    let summary = run_seeds(1..=40, &Faults::orderly(), None, 2, false);
    assert_eq!(summary.failed, []);
    assert!(summary.injected.contains_key(&Fault::Declined));
}

/// The other deliberate bugs take more histories: `cargo xtask simulate --mutations`.
#[test]
fn a_bug_that_faults_would_hide_is_noticed_in_orderly_histories() {
    let hidden: Vec<_> = MUTATIONS.iter().filter(|mutation| mutation.is_hidden_by_faults).collect();
    assert!(!hidden.is_empty());
    for mutation in hidden {
        let summary = run_seeds(1..=20, &Faults::orderly(), Some(mutation), 2, true);
        let noticed = summary.failed.iter().any(|(_, violation)| violation.invariant == RETURNS_SOON);
        assert!(noticed, "{} was not noticed", mutation.name);
    }
}

/// Thousands of them: `cargo xtask simulate`.
#[test]
fn with_all_faults_everything_that_was_promised_holds() {
    let summary = run_seeds(1..=30, &Faults::all(), None, 2, false);
    assert_eq!(summary.failed, []);
    assert!(!summary.injected.is_empty());
}

/// `tests/simulation/regressions.txt`: a seed to a line, with why it failed. A line that begins with `-` waits for its repair.
#[test]
fn what_once_failed_does_not_fail_again() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("regressions.txt");
    let text = std::fs::read_to_string(file).unwrap();
    for line in text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        let seed = line.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(run(seed, &Faults::all(), None).violation, None, "seed {line}");
    }
}

#[test]
fn functions_may_run_as_long_as_the_template_says() {
    let template = Repository::read().template;
    let usual = template["Globals"]["Function"]["Timeout"].as_u64().unwrap();
    for function in FUNCTIONS {
        let camel = function.split('-').fold(String::new(), |name, word| name + &word[..1].to_uppercase() + &word[1..]);
        let resource = &template["Resources"][format!("{camel}Function")];
        assert!(resource.is_object(), "{function}");
        let seconds = resource["Properties"]["Timeout"].as_u64().unwrap_or(usual);
        assert_eq!(timeout_seconds(function), seconds, "{function}");
    }
}

#[test]
fn each_reader_of_a_stream_gets_the_records_that_the_template_passes() {
    let template = Repository::read().template;
    let tables = [("stock", "StockTable"), ("reservation", "ReservationTable"), ("order", "OrderTable")];
    let mut read = BTreeSet::new();
    for (id, mapping) in template::resources(&template, "AWS::Lambda::EventSourceMapping") {
        let source = template::target(&mapping["Properties"]["EventSourceArn"]).unwrap();
        let Some((table, _)) = tables.into_iter().find(|(_, name)| *name == source) else { continue };
        let function = template::folder_name(template::target(&mapping["Properties"]["FunctionName"]).unwrap());
        // A history has no stack at the edge, and without one the function does nothing.
        if function == "feed-edge" {
            continue;
        }
        let mut passed = 0;
        for record in records() {
            let as_json = serde_json::to_value(&record).unwrap();
            let expected = template::passes(mapping, &as_json);
            assert_eq!(passes(&function, &record), expected, "{id}: {as_json}");
            passed += usize::from(expected);
        }
        assert!(passed > 0, "{id}");
        read.insert((table, function));
    }
    assert_eq!(read, READERS.map(|(table, function)| (table, function.to_owned())).into());
}

/// Records with every change of a status, of every kind of key.
#[expect(clippy::unwrap_used, reason = "the records are made here")]
fn records() -> Vec<EventRecord> {
    let statuses = [None, Some("HELD"), Some("PAYING"), Some("PURCHASED")];
    let image = |status: Option<&str>| status.map_or_else(|| json!({}), |status| json!({"status": {"S": status}}));
    let mut records = Vec::new();
    let keys = [
        ("SHARD#demo#0", "ANY"),
        ("SALE#demo", "ANY"),
        ("SHOPPER#one", "ANY"),
        ("ORDER#one", "ORDER"),
        ("ORDER#one", "PAYMENT#1"),
    ];
    for (pk, sk) in keys {
        for name in ["INSERT", "MODIFY", "REMOVE"] {
            let changes = statuses.iter().flat_map(|before| statuses.iter().map(move |after| (before, after)));
            let happens = |before: Option<&str>, after: Option<&str>| match name {
                "INSERT" => before.is_none(),
                "REMOVE" => after.is_none(),
                _ => true,
            };
            for (before, after) in changes.filter(|(before, after)| happens(**before, **after)) {
                let mut record = event_as::<StreamEvent>("schedule-expiry/ok.json").records.remove(0);
                name.clone_into(&mut record.event_name);
                record.change.keys = from_value(json!({"pk": {"S": pk}, "sk": {"S": sk}})).unwrap();
                record.change.old_image = from_value(image(*before)).unwrap();
                record.change.new_image = from_value(image(*after)).unwrap();
                records.push(record);
            }
        }
    }
    records
}

#[test]
fn every_fault_and_every_deliberate_bug_is_described() {
    let document =
        |path: &str| std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap();
    let text = document("docs/simulation.md");
    for name in Fault::ALL.iter().map(|fault| fault.name()).chain(MUTATIONS.iter().map(|mutation| mutation.name)) {
        assert!(text.contains(&format!("`{name}`")), "docs/simulation.md has no {name}");
    }
    for mutation in &MUTATIONS {
        assert!(text.contains(&format!("| `{}` | {} |", mutation.name, mutation.bug)), "{}: {}", mutation.name, mutation.bug);
    }
    let faults = format!("{} kinds of faults", Fault::ALL.len());
    assert!(document("README.md").contains(&faults), "README.md does not say: {faults}");
}
