//! The sample events: every function has some, every event has an answer, and the files agree with the tables.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use system_tests::{Repository, template};
use test_cases::{Answer, Case, Event};

use crate::{Faults, none, notices};

fn files(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let mut named = BTreeSet::new();
    for case in &repository.cases {
        let (function, name) = (case.function, case.name);
        named.insert((function, name));
        match repository.events.get(function).and_then(|events| events.get(name)) {
            None => faults.push(format!("events/{function}/{name}.json is missing: cargo xtask events")),
            Some(event) if *event != case.json() => {
                faults.push(format!("events/{function}/{name}.json is not what its table says: cargo xtask events"));
            }
            Some(_) => {}
        }
    }
    let files = repository.events.iter().flat_map(|(function, events)| events.keys().map(move |name| (function, name)));
    let left_over = files.filter(|(function, name)| !named.contains(&(function.as_str(), name.as_str())));
    faults.extend(left_over.map(|(function, name)| format!("events/{function}/{name}.json is in no table: cargo xtask events")));
    faults
}

fn tables(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let has_ok = |function: &String| repository.cases.iter().any(|case| case.function == function && case.name == "ok");
    let without = functions.keys().filter(|function| !has_ok(function));
    let mut faults: Faults = without.map(|function| format!("{function} has no case \"ok\"")).collect();
    let unknown: BTreeSet<&str> = repository.cases.iter().map(|case| case.function).collect();
    let unknown = unknown.into_iter().filter(|function| !functions.contains_key(*function));
    faults.extend(unknown.map(|function| format!("there is a table of {function}, but no such function")));
    let unanswered = repository.cases.iter().filter(|case| case.expected.is_empty() || !is_answerable(case));
    faults.extend(unanswered.map(|case| format!("{}/{}: nobody gets such an answer to such an event", case.function, case.name)));
    faults
}

/// Whether the sender of the event can receive the expected answers.
fn is_answerable(case: &Case) -> bool {
    let records = case.json()["Records"].as_array().map_or(0, Vec::len);
    case.expected.iter().all(|expected| match (&case.event, &expected.answer) {
        (Event::Http(_), Answer::Http { .. })
        | (Event::Authorizer { .. } | Event::Task(_), Answer::Output(_) | Answer::Error(_))
        | (Event::Schedule, Answer::Output(_)) => true,
        (Event::Queue { .. } | Event::Stream { .. }, Answer::FailedRecords(places)) => {
            places.iter().all(|place| *place < records)
        }
        (
            Event::Http(_)
            | Event::Authorizer { .. }
            | Event::Task(_)
            | Event::Schedule
            | Event::Queue { .. }
            | Event::Stream { .. },
            _,
        ) => false,
    })
}

#[test]
fn the_files_are_what_the_tables_say() {
    none(&files(&Repository::read()));
}

#[test]
fn a_file_that_is_stale_missing_or_left_over_is_noticed() {
    notices(files, "events/reserve/ok.json is not what its table says", |repository| {
        repository.events.get_mut("reserve").unwrap().get_mut("ok").unwrap()["isBase64Encoded"] = json!(true);
    });
    notices(files, "events/sell-stock/ok.json is missing", |repository| {
        repository.events.get_mut("sell-stock").unwrap().remove("ok");
    });
    notices(files, "events/health/strange.json is in no table", |repository| {
        repository.events.get_mut("health").unwrap().insert("strange".to_owned(), Value::Null);
    });
    notices(files, "events/oversell/ok.json is in no table", |repository| {
        repository.events.insert("oversell".to_owned(), BTreeMap::from([("ok".to_owned(), json!({}))]));
    });
    notices(files, "events/reconcile/ok.json is in no table", |repository| {
        repository.cases.retain(|case| case.function != "reconcile");
    });
}

#[test]
fn every_function_has_a_case_ok_and_every_case_an_answer_that_fits() {
    none(&tables(&Repository::read()));
}

#[test]
fn a_function_without_cases_and_an_answer_that_does_not_fit_are_noticed() {
    let case = |repository: &mut Repository, function: &str, change: fn(&mut Case)| {
        change(repository.cases.iter_mut().find(|case| case.function == function && case.name == "ok").unwrap());
    };
    notices(tables, "health has no case \"ok\"", |repository| {
        repository.cases.retain(|case| case.function != "health" || case.name != "ok");
    });
    notices(tables, "a table of oversell, but no such function", |repository| {
        let ok = repository.cases[0].clone();
        repository.cases.push(Case { function: "oversell", ..ok });
    });
    notices(tables, "reserve/ok: nobody gets", |repository| case(repository, "reserve", |case| case.expected.clear()));
    notices(tables, "reserve/ok: nobody gets", |repository| {
        case(repository, "reserve", |case| case.expected[0].answer = Answer::Error("SoldOut"));
    });
    notices(tables, "start-payment/ok: nobody gets", |repository| {
        case(repository, "start-payment", |case| case.expected[0].answer = Answer::FailedRecords(vec![1]));
    });
}
