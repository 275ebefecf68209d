//! The tables of `docs/API.md` agree with the contract.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use contract::{Group, Route, openapi, problems, routes};
use domain::SandboxMethod;
use kit::ProblemKind;
use serde_json::Value;
use system_tests::{Repository, markdown};

use crate::{Faults, none, notices};

const DOCUMENT: &str = "docs/API.md";
/// Represents, in a row, the refusals of a reservation. The text lists them in their order.
const OF_A_RESERVATION: &str = "[of a reservation]";
const IN_THIS_ORDER: &str = "A reservation is refused with, in this order:";

/// The rows of the table whose first heading is `heading`.
fn table(repository: &Repository, heading: &str) -> Vec<Vec<String>> {
    let text = &repository.documents[Path::new(DOCUMENT)];
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| line.starts_with(&format!("| {heading} |")));
    let rows = start.map(|start| &lines[start..]).unwrap_or_default();
    let table: Vec<&str> = rows.iter().take_while(|line| line.starts_with('|')).copied().collect();
    markdown::rows(&table.join("\n"))
}

fn codes(cell: &str) -> Vec<String> {
    markdown::code(cell)
}

fn refusals_of_a_reservation(repository: &Repository) -> Vec<String> {
    let text = &repository.documents[Path::new(DOCUMENT)];
    let sentence = text.split_once(IN_THIS_ORDER).and_then(|(_, rest)| rest.split_once('.')).map(|(sentence, _)| sentence);
    codes(sentence.unwrap_or_default())
}

/// Whether any route of the same kind may refuse with this, so that the route's row does not repeat it.
fn goes_without_saying(kind: &ProblemKind) -> bool {
    let everywhere = [
        ProblemKind::MALFORMED_REQUEST,
        ProblemKind::CARD_DATA,
        ProblemKind::UNAUTHENTICATED,
        ProblemKind::FORBIDDEN,
        ProblemKind::BODY_TOO_LARGE,
        ProblemKind::UNSUPPORTED_MEDIA_TYPE,
        ProblemKind::INTERNAL_ERROR,
        ProblemKind::TRY_AGAIN,
        problems::RATE_LIMITED,
    ];
    everywhere.contains(kind)
}

fn component(schema: &Value) -> String {
    schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()).unwrap_or_default().to_owned()
}

/// The row that the table of routes should have for this route, without links and connecting words.
fn row_of(route: &Route) -> Vec<BTreeSet<String>> {
    let who = match route.group {
        Group::Anyone => "anyone",
        Group::Shoppers => "shopper",
        Group::Operators => contract::OPERATORS,
        Group::Providers => "provider",
    };
    let body = route.body.iter().map(|body| component(&body.schema.schema)).collect();
    let statuses = route.answers.iter().map(|answer| answer.status.to_string());
    let answers = route.answers.iter().filter_map(|answer| answer.schema.as_ref()).map(|schema| component(&schema.schema));
    let refusals = route.problems().into_iter().filter(|kind| !goes_without_saying(kind)).map(|kind| kind.code.to_owned());
    vec![BTreeSet::from([who.to_owned()]), body, statuses.chain(answers).collect(), refusals.collect()]
}

fn documented_routes(repository: &Repository) -> Faults {
    let routes = routes();
    let of_a_reservation = refusals_of_a_reservation(repository);
    let mut faults = Faults::new();
    let mut seen = BTreeSet::new();
    for row in table(repository, "route") {
        let [route, who, body, success, refusals] = row.as_slice() else {
            faults.push(format!("{DOCUMENT}: a row of the routes has not five cells: {row:?}"));
            continue;
        };
        let named = codes(route).first().cloned().unwrap_or_default();
        let (method, path) = named.split_once(' ').unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let Some(found) = routes.iter().find(|route| route.method.as_str() == method && route.path == path) else {
            faults.push(format!("{DOCUMENT}: {named} is no route of the contract"));
            continue;
        };
        seen.insert(found.name);
        let who = who.trim_matches('`').replace("owner", "shopper");
        let statuses = success.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 3).map(str::to_owned);
        let mut refused = codes(refusals);
        if refusals.contains(OF_A_RESERVATION) {
            refused.extend(of_a_reservation.clone());
        }
        let stands: Vec<BTreeSet<String>> = vec![
            BTreeSet::from([who]),
            codes(body).into_iter().collect(),
            statuses.chain(codes(success)).collect(),
            refused.into_iter().collect(),
        ];
        for (stands, contract) in stands.iter().zip(row_of(found)).filter(|(stands, contract)| *stands != contract) {
            faults.push(format!("{DOCUMENT}: {named} has {stands:?} where the contract has {contract:?}"));
        }
    }
    let missing = routes.iter().filter(|route| !seen.contains(route.name));
    faults.extend(missing.map(|route| format!("{DOCUMENT} has no row for {} {}", route.method.as_str(), route.path)));
    faults
}

fn documented_refusals(repository: &Repository) -> Faults {
    let mut wanted: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for kind in routes().iter().flat_map(Route::problems) {
        let described = problems::described(kind);
        let (statuses, members) = wanted.entry(kind.code.to_owned()).or_default();
        statuses.insert(kind.status.to_string());
        for schema in described.members.iter().map(|members| &members.components[&component(&members.schema)]) {
            members.extend(schema["properties"].as_object().into_iter().flat_map(|members| members.keys().cloned()));
        }
        if described.has_retry_after {
            members.insert("Retry-After".to_owned());
        }
    }
    let mut faults = Faults::new();
    for row in table(repository, "code") {
        let [code, status, members, ..] = row.as_slice() else { continue };
        let code = code.trim_matches('`').to_owned();
        let Some((statuses, wanted)) = wanted.remove(&code) else {
            faults.push(format!("{DOCUMENT}: no route refuses with {code}"));
            continue;
        };
        let numbers = status.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 3);
        if numbers.map(str::to_owned).collect::<BTreeSet<_>>() != statuses {
            faults.push(format!("{DOCUMENT}: {code} has status {statuses:?}, not {status}"));
        }
        if codes(members).into_iter().collect::<BTreeSet<_>>() != wanted {
            faults.push(format!("{DOCUMENT}: {code} has the members {wanted:?}, not {members}"));
        }
    }
    faults.extend(wanted.keys().map(|code| format!("{DOCUMENT} has no row for {code}")));
    faults
}

fn documented_bodies(repository: &Repository) -> Faults {
    let description = openapi(&routes());
    let schemas = &description["components"]["schemas"];
    let mut needed: BTreeSet<String> = routes().iter().flat_map(row_of_bodies).collect();
    let mut faults = Faults::new();
    for row in table(repository, "body") {
        let [name, members] = row.as_slice() else { continue };
        let name = name.trim_matches('`');
        needed.remove(name);
        let schema = &schemas[name];
        let required: BTreeSet<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys());
        let marked = |name: &String| if required.contains(name.as_str()) { name.clone() } else { format!("{name}?") };
        let wanted: BTreeSet<String> = properties.map(marked).collect();
        let stands: BTreeSet<String> = codes(members).into_iter().collect();
        if stands != wanted {
            let differ: Vec<_> = stands.symmetric_difference(&wanted).collect();
            faults.push(format!("{DOCUMENT}: {name} is not as in the contract: {differ:?}"));
        }
    }
    faults.extend(needed.iter().map(|name| format!("{DOCUMENT} has no row for the body {name}")));
    for row in table(repository, "name") {
        let [name, values] = row.as_slice() else { continue };
        let name = name.trim_matches('`');
        let wanted: BTreeSet<&str> = schemas[name]["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let stands = codes(values);
        if stands.iter().map(String::as_str).collect::<BTreeSet<_>>() != wanted {
            faults.push(format!("{DOCUMENT}: {name} is one of {wanted:?}, not of {values}"));
        }
    }
    faults
}

/// The sandbox's payment methods, as the document lists them.
fn documented_methods(repository: &Repository) -> Faults {
    let stand: Vec<String> = table(repository, "method").iter().filter_map(|row| codes(row.first()?).first().cloned()).collect();
    let known = SandboxMethod::ALL.map(|method| method.as_str().to_owned());
    let differ =
        known.iter().filter(|method| !stand.contains(method)).chain(stand.iter().filter(|method| !known.contains(method)));
    differ.map(|method| format!("{DOCUMENT} and the sandbox do not both know {method}")).collect()
}

/// The bodies that a route reads and answers with.
fn row_of_bodies(route: &Route) -> Vec<String> {
    let body = route.body.iter().map(|body| &body.schema);
    let answers = route.answers.iter().filter_map(|answer| answer.schema.as_ref());
    body.chain(answers).map(|described| component(&described.schema)).collect()
}

#[test]
fn the_tables_of_the_api_say_what_the_contract_says() {
    none(&documented_routes(&Repository::read()));
    none(&documented_refusals(&Repository::read()));
    none(&documented_bodies(&Repository::read()));
    none(&documented_methods(&Repository::read()));
}

#[test]
fn a_table_that_says_something_else_is_noticed() {
    let replace = |from: &'static str, to: &'static str| {
        move |repository: &mut Repository| {
            let text = repository.documents.get_mut(Path::new(DOCUMENT)).unwrap();
            assert!(text.contains(from), "{from} is not there");
            *text = text.replacen(from, to, 1);
        }
    };
    notices(
        documented_routes,
        "GET /healthy is no route",
        replace(
            "`GET /admin/health` | `ops` | | 200 `Health` | `unhealthy` |",
            "`GET /admin/health` | `ops` | | 200 `Health` | `unhealthy` |\n| `GET /healthy` | | | | |",
        ),
    );
    notices(
        documented_routes,
        "has no row for GET /api/flash-sales",
        replace("| `GET /api/flash-sales?state=&next=` | anyone | | 200 `Sales` | |\n", ""),
    );
    notices(
        documented_routes,
        "GET /orders/{order_id} has {\"anyone\"}",
        replace("`GET /orders/{order_id}` | owner", "`GET /orders/{order_id}` | anyone"),
    );
    notices(documented_routes, "GET /orders?next= has {\"200\", \"Order\"}", replace("200 `Orders`", "200 `Order`"));
    notices(
        documented_routes,
        "POST /checkout has",
        replace("| 202, 200 `OrderAccepted` | `unknown-reservation`", "| 202 `OrderAccepted` | `unknown-reservation`"),
    );
    notices(documented_routes, "POST /admin/flash-sales/{product_id}/restock has", replace("`too-many-restocks`, ", ""));
    notices(
        documented_refusals,
        "no route refuses with sale-stopped",
        replace("| `sale-paused` |", "| `sale-stopped` | 409 | | |\n| `sale-paused` |"),
    );
    notices(
        documented_refusals,
        "has no row for sale-started",
        replace("| `sale-started` | 409 | | only the end of the sale can still change: it can come earlier |\n", ""),
    );
    notices(documented_refusals, "sale-ended has status", replace("410, to operators 409", "410"));
    notices(
        documented_refusals,
        "sold-out has the members",
        replace("| `sold-out` | 409 | `available_quantity`, `holds` |", "| `sold-out` | 409 | `holds` |"),
    );
    notices(
        documented_bodies,
        "Inventory is not as in the contract: [\"as_of\"]",
        replace(
            "| `Inventory` | `product_id`, `available_quantity`, `as_of` |",
            "| `Inventory` | `product_id`, `available_quantity` |",
        ),
    );
    notices(documented_bodies, "Orders is not as in the contract", replace("`orders`, `next?`", "`orders`, `next`"));
    notices(documented_bodies, "has no row for the body RestockRequest", replace("| `RestockRequest` | `units` |\n", ""));
    notices(documented_methods, "both know sandbox:up", replace("| `sandbox:ok` |", "| `sandbox:up` | |\n| `sandbox:ok` |"));
    notices(documented_bodies, "InventoryStatus is one of", replace("`held`, `confirmed`, `released`", "`held`, `released`"));
}
