//! The simulation itself: it repeats itself, it knows the whole state machine, and what once failed is tried
//! again.

use std::path::PathBuf;

use serde_json::{Value, json};
use simulation::{FUNCTIONS, Faults, History, Machine, definition, run, run_recorded, run_seeds, timeout_seconds};
use system_tests::Repository;

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
fn the_state_machine_is_known_whole() {
    Machine::read(&definition()).unwrap();
}

#[test]
fn what_is_not_known_of_a_state_machine_is_refused() {
    let refused = |alter: fn(&mut Value)| {
        let mut definition = definition();
        alter(&mut definition);
        Machine::read(&definition).unwrap_err()
    };
    refused(|it| it["States"]["Refund"] = json!({"Type": "Wait", "Seconds": 1, "Next": "TakeBackStock"}));
    refused(|it| it["States"]["Refund"] = json!({"Type": "Parallel", "Branches": [], "Next": "TakeBackStock"}));
    refused(|it| it["States"]["Charge"]["HeartbeatSeconds"] = json!(5));
    refused(|it| it["States"]["Charge"]["Assign"] = json!({"a": 1}));
    refused(|it| it["States"]["Charge"]["Next"] = json!("Nowhere"));
    refused(|it| it["States"]["Charge"]["Resource"] = json!("arn:aws:states:::sqs:sendMessage"));
    refused(|it| it["States"]["Charge"]["Arguments"]["FunctionName"] = json!("${OtherFunctionArn}"));
    refused(|it| it["States"]["Charge"]["Retry"][0]["ErrorEquals"] = json!(["States.TaskFailed"]));
    refused(|it| it["States"]["Charge"]["Retry"][0]["JitterStrategy"] = json!("NONE"));
    refused(|it| it["States"]["Charge"]["Output"] = json!("{% $uuid() %}"));
    refused(|it| it["QueryLanguage"] = json!("JSONPath"));
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
