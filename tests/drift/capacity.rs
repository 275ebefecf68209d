//! A flood of one kind of work leaves the others their part: every route has the throttle of its group, and every function that
//! must go on while shoppers rush reserves concurrency. `docs/deploying.md` says how much.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Value, json};
use system_tests::{
    Repository,
    template::{self, Function},
};

use crate::{Faults, none, notices, routes::routes, set};

const DOCUMENT: &str = "docs/deploying.md";
/// Executions that an account may have at once in a Region before anybody asks for more (AWS, "Lambda quotas").
const CONCURRENCY: i64 = 1_000;

fn parameter(repository: &Repository, name: &str) -> i64 {
    repository.template["Parameters"][name]["Default"].as_i64().unwrap_or(i64::MAX / 1_000_000)
}

fn settings(repository: &Repository) -> Vec<&Value> {
    repository.template["Resources"]["Api"]["Properties"]["MethodSettings"].as_array().into_iter().flatten().collect()
}

/// `Read` for an entry with `ReadRate` and `ReadBurst` of the stage's row of throttles.
fn group(setting: &Value) -> Option<&str> {
    let name = |limit: &str| {
        let [mapping, row, name] = setting[limit]["Fn::FindInMap"].as_array()?.as_slice() else { return None };
        (mapping == "Throttles" && *row == stage_row()).then_some(name.as_str()?)
    };
    let rate = name("ThrottlingRateLimit")?.strip_suffix("Rate")?;
    let burst = name("ThrottlingBurstLimit")?.strip_suffix("Burst")?;
    (rate == burst).then_some(rate)
}

fn stage_row() -> Value {
    json!({"Fn::FindInMap": ["ThrottleRows", {"Ref": "RequestsPerSecond"}, {"Ref": "Environment"}]})
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

/// All routes at their limits, and the preflight requests of one path, stay within the requests per second that name the row. The
/// parameter has every row for every stage, and the stages' own.
fn rows(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let mappings = &repository.template["Mappings"];
    let parameters = &repository.template["Parameters"];
    for (row, throttles) in mappings["Throttles"].as_object().into_iter().flatten() {
        let most: i64 = row.parse().unwrap_or_default();
        for (limit, most) in [("Rate", most), ("Burst", most / 2)] {
            let groups = settings(repository).into_iter().filter_map(group);
            let sum: i64 = groups.map(|group| throttles[format!("{group}{limit}")].as_i64().unwrap_or(i64::MAX / 1_000)).sum();
            // A row that leaves more than a tenth unused was not updated.
            if !(most - most / 10..=most).contains(&sum) {
                faults.push(format!("Throttles {row}: all routes together have a {limit} of {sum}, not just below {most}"));
            }
        }
        for stage in parameters["Environment"]["AllowedValues"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if mappings["ThrottleRows"][row][stage] != *row {
                faults.push(format!("ThrottleRows {row}: {stage} does not have its row"));
            }
        }
    }
    let own = json!({"local": "10000", "staging": "2000", "prod": "5000"});
    if mappings["ThrottleRows"]["by-stage"] != own {
        faults.push(format!("ThrottleRows by-stage: is not {own}"));
    }
    let choices: Vec<&Value> = parameters["RequestsPerSecond"]["AllowedValues"].as_array().into_iter().flatten().collect();
    if choices
        .iter()
        .any(|row| !mappings["ThrottleRows"].as_object().is_some_and(|all| row.as_str().is_some_and(|row| all.contains_key(row))))
    {
        faults.push("RequestsPerSecond: a choice has no row".to_owned());
    }
    faults
}

/// The document has the limits of production: ``| `ReadRate`, `ReadBurst` | 175, 87 |`` at the end of a group's row.
fn documented_throttles(repository: &Repository) -> Faults {
    let text = repository.documents.get(Path::new(DOCUMENT)).map(String::as_str).unwrap_or_default();
    let row = &repository.template["Mappings"]["Throttles"]["5000"];
    let groups: BTreeSet<&str> = settings(repository).into_iter().filter_map(group).collect();
    let ends = groups.into_iter().map(|group| {
        let [rate, burst] = ["Rate", "Burst"].map(|limit| row[format!("{group}{limit}")].to_string());
        format!("| `{group}Rate`, `{group}Burst` | {rate}, {burst} |")
    });
    let missing = ends.filter(|end| !text.lines().any(|line| line.ends_with(end.as_str())));
    missing.map(|end| format!("{DOCUMENT}: has no row that ends with {end}")).collect()
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
    for check in [throttles, rows, documented_throttles] {
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
            checkout["ThrottlingBurstLimit"]["Fn::FindInMap"][2] = json!("ReserveBurst");
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
    notices(rows, "Throttles 5000: all routes together have a Rate of", |repository| {
        repository.template["Mappings"]["Throttles"]["5000"]["ReserveRate"] = json!(501 * 2);
    });
    notices(rows, "prod does not have its row", |repository| {
        repository.template["Mappings"]["ThrottleRows"]["20000"]["prod"] = json!("10000");
    });
    notices(rows, "a choice has no row", |repository| {
        repository.template["Parameters"]["RequestsPerSecond"]["AllowedValues"][1] = json!("3000");
    });
    notices(documented_throttles, "| `ReadRate`, `ReadBurst` | 174, 87 |", |repository| {
        repository.template["Mappings"]["Throttles"]["5000"]["ReadRate"] = json!(174);
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
