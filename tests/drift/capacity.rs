//! A flood of one kind of work leaves the others their part: every route has the throttle of its group, and every function that
//! must go on while shoppers rush reserves concurrency. `docs/deploying.md` says how much.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use system_tests::{
    Repository,
    template::{self, Function},
};

use crate::{Faults, none, notices, routes::routes, set};

const DOCUMENT: &str = "docs/deploying.md";
/// What an account may do in a Region before anybody asks for more (AWS, "API Gateway quotas", "Lambda quotas").
const REQUESTS_A_SECOND: i64 = 10_000;
const REQUESTS_AT_ONCE: i64 = 5_000;
const CONCURRENCY: i64 = 1_000;

fn parameter(repository: &Repository, name: &str) -> i64 {
    repository.template["Parameters"][name]["Default"].as_i64().unwrap_or(i64::MAX / 1_000_000)
}

fn settings(repository: &Repository) -> Vec<&Value> {
    repository.template["Resources"]["Api"]["Properties"]["MethodSettings"].as_array().into_iter().flatten().collect()
}

/// `Read` for an entry with `ReadRate` and `ReadBurst`.
fn group(setting: &Value) -> Option<&str> {
    let rate = setting["ThrottlingRateLimit"]["Ref"].as_str()?.strip_suffix("Rate")?;
    let burst = setting["ThrottlingBurstLimit"]["Ref"].as_str()?.strip_suffix("Burst")?;
    (rate == burst).then_some(rate)
}

/// The groups that a route may be in. `reserve` and what reserves by itself must not share limits with what pays.
fn allowed(function: &str, method: &str, path: &str) -> &'static [&'static str] {
    match (function, method) {
        _ if path.starts_with("/admin/") => &["Operator"],
        _ if path.starts_with("/webhooks/") => &["Webhook"],
        // As many challenges as requests that show one.
        ("get-challenge", _) => &["Reserve"],
        (_, "GET") => &["Read"],
        ("reserve" | "place-order", _) => &["Reserve"],
        _ => &["Checkout"],
    }
}

fn throttles(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let settings = settings(repository);
    let is_of = |setting: &Value, method: &str, path: &str| {
        setting["HttpMethod"] == method && setting["ResourcePath"] == format!("/{}", path.replace('/', "~1"))
    };
    let others = |setting: &Value| ["MetricsEnabled", "LoggingLevel", "DataTraceEnabled"].map(|name| setting[name].clone());
    let routes = routes(repository);
    for (function, method, path) in &routes {
        let found: Vec<&&Value> = settings.iter().filter(|setting| is_of(setting, method, path)).collect();
        let allowed = allowed(function, method, path);
        match found.as_slice() {
            [setting] if group(setting).is_some_and(|group| allowed.contains(&group)) => {}
            [_] => faults.push(format!("{method} {path}: its throttle is not {}", allowed.join(" or "))),
            [] => faults.push(format!("{method} {path}: has no throttle in MethodSettings")),
            _ => faults.push(format!("{method} {path}: has several throttles")),
        }
    }
    for setting in &settings {
        let names = [&setting["HttpMethod"], &setting["ResourcePath"]].map(|name| name.as_str().unwrap_or_default());
        if names != ["*", "/*"] && !routes.iter().any(|(_, method, path)| is_of(setting, method, path)) {
            faults.push(format!("MethodSettings: {} {} is no route", names[0], names[1]));
        }
        if settings.first().is_some_and(|first| others(first) != others(setting)) {
            faults.push(format!("MethodSettings: {} {} has other logs or metrics than the rest", names[0], names[1]));
        }
    }
    faults
}

/// API Gateway's data trace writes bodies into the log before a function can refuse a card number in them.
fn traces(repository: &Repository) -> Faults {
    let traced = settings(repository).into_iter().filter(|setting| setting["DataTraceEnabled"] != false);
    traced.map(|setting| format!("MethodSettings: {} writes bodies into the log", setting["ResourcePath"])).collect()
}

/// All routes at their limits, and the preflight requests of one path, stay within what an account starts with.
fn quota(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (limit, quota) in [("Rate", REQUESTS_A_SECOND), ("Burst", REQUESTS_AT_ONCE)] {
        let groups = settings(repository).into_iter().filter_map(group);
        let sum: i64 = groups.map(|group| parameter(repository, &format!("{group}{limit}"))).sum();
        if sum > quota {
            faults.push(format!("{limit}: all routes together may take {sum} of {quota}, so that one group can starve another"));
        }
    }
    faults
}

/// The parameter that says what a function reserves. `None`: it shares what nobody reserves.
fn reserve(function: &Function) -> Option<&'static str> {
    match (function.binary.as_str(), function.name.as_str()) {
        (_, "checkout" | "pay") => Some("CheckoutConcurrency"),
        ("saga-tasks", _) => Some("SagaConcurrency"),
        ("workers", "feed-edge" | "publish-orders" | "reconcile") => Some("2"),
        ("workers", _) => Some("WorkerConcurrency"),
        ("operators", _) => Some("OperatorConcurrency"),
        _ => None,
    }
}

fn reserves(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for function in template::functions(&repository.template).values() {
        let written = &function.resource["Properties"]["ReservedConcurrentExecutions"];
        let expected = match reserve(function) {
            None => Value::Null,
            Some(name) => {
                let value = name.parse().map_or_else(|_| json!({"Ref": name}), |number: i64| json!(number));
                json!({"Fn::If": ["ReservesConcurrency", value, {"Ref": "AWS::NoValue"}]})
            }
        };
        if *written != expected {
            faults.push(format!("{}: ReservedConcurrentExecutions is {written}, not {expected}", function.logical_id));
        }
    }
    faults
}

/// The document has a row per parameter: ``| `SagaConcurrency` | 20 | 7 | 140 | … |``: default, functions, product.
fn documented(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let text = repository.documents.get(Path::new(DOCUMENT)).map(String::as_str).unwrap_or_default();
    let mut functions = BTreeMap::<&str, i64>::new();
    for name in template::functions(&repository.template).values().filter_map(reserve) {
        *functions.entry(name).or_default() += 1;
    }
    let mut sum = 0;
    for (name, count) in functions {
        let each = name.parse().unwrap_or_else(|_| parameter(repository, name));
        sum += each * count;
        let name = if name.ends_with("Concurrency") { format!("`{name}`") } else { "(fixed)".to_owned() };
        let row = format!("| {name} | {each} | {count} | {} |", each * count);
        if !text.lines().any(|line| line.starts_with(&row)) {
            faults.push(format!("{DOCUMENT}: has no row {row}"));
        }
    }
    if sum > CONCURRENCY / 2 {
        faults.push(format!("{sum} of {CONCURRENCY} are reserved, so that less than half is left for reservations and reads"));
    }
    if !text.contains(&format!("In all, {sum} of {CONCURRENCY}")) {
        faults.push(format!("{DOCUMENT}: does not say: In all, {sum} of {CONCURRENCY}"));
    }
    faults
}

#[test]
fn every_route_has_the_throttle_of_its_group() {
    for check in [throttles, quota] {
        none(&check(&Repository::read()));
    }
}

#[test]
fn a_route_without_its_throttle_is_noticed() {
    let settings = |change: fn(&mut Vec<Value>)| {
        move |repository: &mut Repository| {
            change(repository.template["Resources"]["Api"]["Properties"]["MethodSettings"].as_array_mut().unwrap());
        }
    };
    let restock = "POST /admin/flash-sales/{product_id}/restock";
    notices(
        throttles,
        &format!("{restock}: has no throttle"),
        settings(|all| {
            all.retain(|one| !one["ResourcePath"].as_str().unwrap().ends_with("restock"));
        }),
    );
    notices(
        throttles,
        "POST /checkout: its throttle is not Checkout",
        settings(|all| {
            let checkout = all.iter_mut().find(|one| one["ResourcePath"] == "/~1checkout").unwrap();
            checkout["ThrottlingBurstLimit"] = json!({"Ref": "ReserveBurst"});
        }),
    );
    notices(throttles, "GET /health: has several", settings(|all| all.push(all[1].clone())));
    notices(
        throttles,
        "GET /~1nothing is no route",
        settings(|all| {
            let mut one = all[1].clone();
            one["ResourcePath"] = json!("/~1nothing");
            all.push(one);
        }),
    );
    notices(throttles, "has other logs or metrics", settings(|all| all[1]["LoggingLevel"] = Value::Null));
    notices(quota, "Rate: all routes together", |repository| {
        repository.template["Parameters"]["ReserveRate"]["Default"] = json!(REQUESTS_A_SECOND / 2);
    });
}

#[test]
fn no_route_writes_bodies_into_the_log() {
    none(&traces(&Repository::read()));
    notices(traces, "/~1health\" writes bodies", |repository| {
        repository.template["Resources"]["Api"]["Properties"]["MethodSettings"][1]["DataTraceEnabled"] = json!(true);
    });
}

#[test]
fn what_must_go_on_during_a_rush_reserves_concurrency() {
    none(&reserves(&Repository::read()));
    none(&documented(&Repository::read()));
}

#[test]
fn a_function_without_its_reserve_or_a_sum_that_is_not_documented_is_noticed() {
    const RESERVED: &str = "ReservedConcurrentExecutions";
    notices(reserves, "PayFunction: ReservedConcurrentExecutions is null", set("PayFunction", RESERVED, Value::Null));
    notices(reserves, "ReserveFunction: ReservedConcurrentExecutions is 900", set("ReserveFunction", RESERVED, json!(900)));
    let in_the_document = |from: &'static str, to: &'static str| {
        move |repository: &mut Repository| {
            let document = repository.documents.get_mut(Path::new(DOCUMENT)).unwrap();
            *document = document.replace(from, to);
        }
    };
    notices(
        documented,
        "has no row | `SagaConcurrency` | 20 |",
        in_the_document("| `SagaConcurrency` | 20 |", "| `SagaConcurrency` | 21 |"),
    );
    notices(documented, "does not say: In all, ", in_the_document("In all, ", "Of them, "));
}
