//! `docs/events.md` is the contract of order events: its example, its members and its columns are those of the code, and the example
//! of a subscriber subscribes to them.

use std::{collections::BTreeSet, path::Path};

use contract::csv::COLUMNS;
use messages::OrderChanged;
use serde_json::{Value, json};
use system_tests::{Repository, repository, yaml};

use crate::{Faults, none, notices};

const DOCUMENT: &str = "docs/events.md";

fn document(repository: &Repository) -> &str {
    repository.documents.get(Path::new(DOCUMENT)).map(String::as_str).unwrap_or_default()
}

/// The example of the document.
fn example(repository: &Repository) -> Value {
    let block = document(repository).split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    block.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn events(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let example = example(repository);
    if (&example["source"], &example["detail-type"]) != (&json!(OrderChanged::SOURCE), &json!(OrderChanged::DETAIL_TYPE)) {
        faults.push(format!("{DOCUMENT}: its example has another source or detail-type"));
    }
    let event = match serde_json::from_value::<OrderChanged>(example["detail"].clone()) {
        Ok(event) => json!(event),
        Err(error) => {
            faults.push(format!("{DOCUMENT}: its example is no event: {error}"));
            return faults;
        }
    };
    if event != example["detail"] {
        faults.push(format!("{DOCUMENT}: its example has other members than {event}"));
    }
    if event["version"] != OrderChanged::VERSION {
        faults.push(format!("{DOCUMENT}: its example is of another version"));
    }
    let members: BTreeSet<&str> = event.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let rows = document(repository).lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(name, _)| name);
    for name in members.symmetric_difference(&rows.collect()) {
        faults.push(format!("{DOCUMENT}: `{name}` is in one of its example and its table"));
    }
    let columns: Vec<String> = COLUMNS.iter().map(|name| format!("`{name}`")).collect();
    let words = document(repository).split_whitespace().collect::<Vec<_>>().join(" ");
    if !words.contains(&format!("The columns: {}.", columns.join(", "))) {
        faults.push(format!("{DOCUMENT}: the columns are {}", columns.join(", ")));
    }
    faults
}

#[test]
fn the_document_says_what_an_event_and_a_row_have() {
    none(&events(&Repository::read()));
}

#[test]
fn another_event_or_column_is_noticed() {
    let replace = |from: &'static str, to: &'static str| {
        move |repository: &mut Repository| {
            let text = repository.documents.get_mut(Path::new(DOCUMENT)).unwrap();
            assert!(text.contains(from), "{from}");
            *text = text.replacen(from, to, 1);
        }
    };
    notices(events, "another source", replace("\"flash-sale\"", "\"shop\""));
    notices(events, "its example is no event", replace("\"revision\": 5,", ""));
    notices(events, "its example has other members", replace("\"revision\": 5,", "\"revision\": 5, \"shopper\": \"ann\","));
    notices(events, "another version", replace("\"version\": 1", "\"version\": 2"));
    notices(events, "`attempt` is in one of", replace("| `attempt` |", "| attempts |"));
    notices(events, "the columns are", replace("`revision`, `product_id`,", "`product_id`,"));
}

#[test]
fn the_example_of_a_subscriber_gets_the_events() {
    let file = repository::root().join("infra/orders-to-queue/template.yaml");
    let template = yaml::read(&std::fs::read_to_string(file).unwrap());
    let pattern = &template["Resources"]["OrdersToQueue"]["Properties"]["EventPattern"];
    assert_eq!(pattern["source"], json!([OrderChanged::SOURCE]));
    assert_eq!(pattern["detail-type"], json!([OrderChanged::DETAIL_TYPE]));
    let described: Value =
        serde_json::from_str(&std::fs::read_to_string(repository::root().join("docs/openapi.json")).unwrap()).unwrap();
    let statuses = described["components"]["schemas"]["OrderStatus"]["enum"].as_array().unwrap();
    let all: Vec<&str> = statuses.iter().map(|status| status.as_str().unwrap()).collect();
    assert_eq!(template["Parameters"]["Statuses"]["Default"], json!(all.join(",")));
}
