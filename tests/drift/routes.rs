//! The routes of the API: template, events and documents name the same routes.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use system_tests::{Repository, markdown, template};

use crate::{Faults, none, notices};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Function, method, path.
pub(crate) fn routes(repository: &Repository) -> Vec<(String, String, String)> {
    let mut routes = Vec::new();
    for (name, function) in template::functions(&repository.template) {
        for event in function.resource["Properties"]["Events"].as_object().into_iter().flat_map(|events| events.values()) {
            if event["Type"] == "Api" {
                let text = |member: &str| event["Properties"][member].as_str().unwrap_or_default().to_owned();
                routes.push((name.clone(), text("Method").to_uppercase(), text("Path")));
            }
        }
    }
    routes
}

fn events(repository: &Repository) -> Faults {
    let routes: BTreeSet<_> = routes(repository).into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut faults = Faults::new();
    for (name, cases) in &repository.events {
        for (case, event) in cases.iter().filter(|(_, event)| event["httpMethod"].is_string()) {
            let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
            let route = (name.clone(), text("httpMethod"), text("resource"));
            if !routes.contains(&route) {
                faults.push(format!("events/{name}/{case}.json: {} {} is no route of {name}", route.1, route.2));
            }
            if !is_path_of(&text("path"), &route.2) || event["requestContext"]["resourcePath"] != event["resource"] {
                faults.push(format!("events/{name}/{case}.json: the path is not one of {}", route.2));
            }
            seen.insert(route);
        }
    }
    faults.extend(routes.difference(&seen).map(|(name, method, path)| format!("{method} {path} has no event in events/{name}")));
    faults
}

fn documents(repository: &Repository) -> Faults {
    let routes = routes(repository);
    let mut faults = Faults::new();
    let mut named = BTreeSet::new();
    // The fake providers have routes of their own.
    let ours = repository.documents.iter().filter(|(file, _)| !file.starts_with("tests/support"));
    for (file, text) in ours {
        for code in markdown::code(text) {
            let Some((method, path)) = route_in(&code) else { continue };
            let found = routes.iter().find(|(_, one, template)| one == method && is_path_of(path, template));
            match found {
                Some(route) => _ = named.insert(route.clone()),
                None => faults.push(format!("{}: {method} {path} is no route", file.display())),
            }
        }
    }
    let missing = routes.iter().filter(|route| !named.contains(*route));
    faults.extend(missing.map(|(_, method, path)| format!("{method} {path} is in no document")));
    faults
}

/// `GET /orders/{order_id}?x=y` and nothing else on the line.
fn route_in(code: &str) -> Option<(&str, &str)> {
    let (method, path) = code.trim().split_once(' ')?;
    let path = path.split([' ', '?']).next()?;
    (METHODS.contains(&method) && path.starts_with('/')).then_some((method, path))
}

/// Whether `path` is the template's path, with or without values in place of its parameters.
fn is_path_of(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len()
        && path.iter().zip(&template).all(|(one, other)| one == other || (other.starts_with('{') && !one.is_empty()))
}

#[test]
fn every_route_has_events_and_every_event_is_of_a_route() {
    none(&events(&Repository::read()));
}

#[test]
fn an_event_of_no_route_and_a_route_without_events_are_noticed() {
    notices(events, "PUT /health is no route", |repository| {
        let mut event = repository.events["health"]["ok"].clone();
        event["httpMethod"] = json!("PUT");
        repository.events.get_mut("health").unwrap().insert("put".to_owned(), event);
    });
    notices(events, "the path is not one of", |repository| {
        repository.events.get_mut("get-order").unwrap().get_mut("ok").unwrap()["path"] = json!("/orders");
    });
    notices(events, "GET /orders has no event", |repository| {
        repository.events.get_mut("get-order").unwrap().retain(|_, event: &mut Value| event["resource"] != "/orders");
    });
}

#[test]
fn documents_name_every_route_and_no_other() {
    none(&documents(&Repository::read()));
}

#[test]
fn a_route_that_is_documented_but_gone_or_there_but_not_documented_is_noticed() {
    notices(documents, "POST /refund is no route", |repository| {
        repository.documents.insert("docs/x.md".into(), "Send `POST /refund`.".to_owned());
    });
    notices(documents, "GET /metrics is in no document", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["Events"]["Metrics"] =
            json!({"Type": "Api", "Properties": {"Path": "/metrics", "Method": "get"}});
    });
}
