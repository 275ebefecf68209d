//! A function's policy grants what its access patterns and its other calls need: nothing more and nothing less.
//!
//! `docs/ACCESS_PATTERNS.md` is compared with the store's code, with the functions that call it, and with the policies. Other calls
//! are those of the resources whose names a function asks for, and those that Lambda makes with the function's permissions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use system_tests::{
    Repository,
    access_patterns::{self, ACCESS_PATTERNS, Pattern},
    calls::operations_of_store,
    linked,
    permissions::Permissions,
    template,
};

use crate::{
    Faults,
    environment::asked,
    none, notices,
    permissions::{needs_of_lambda, of_template},
    properties,
    registries::registered,
};

/// The resource that a variable names, as the permissions name it.
const RESOURCES: [(&str, &str); 9] = [
    ("ORDERS_QUEUE_URL", "OrdersQueue"),
    ("PAYMENT_EVENTS_QUEUE_URL", "PaymentEventsQueue"),
    ("EXPIRY_QUEUE_URL", "ExpiryQueue"),
    ("STATE_MACHINE_ARN", "PaymentSaga"),
    ("NOTIFICATIONS_TOPIC_ARN", "NotificationsTopic"),
    ("ORDER_EVENTS_BUS", ORDER_EVENTS.0),
    ("PAYMENT_SECRETS", PAYMENT_SECRETS),
    ("CHALLENGE_SECRET", CHALLENGE_SECRET),
    ("EDGE_STORE_ARN", "EdgeStoreArn"),
];
/// The secrets that `shared/parts` reads, for every function that asks for their names.
const PAYMENT_SECRETS: &str = "payment secrets";
const CHALLENGE_SECRET: &str = "ChallengeSecret";
/// The requests of functions to services other than DynamoDB, with the action and the resource. Messages and events are sent and
/// secrets read by crates in `shared/`, for every function that asks for a queue's address, for the bus or for secrets.
const REQUESTS: [(&str, &str, &str); 7] = [
    (".start_execution()", "states:StartExecution", "PaymentSaga"),
    (".send_task_success()", "states:SendTaskSuccess", "PaymentSaga"),
    (".describe_execution()", "states:DescribeExecution", "PaymentSaga executions"),
    (".publish()", "sns:Publish", "NotificationsTopic"),
    (".describe_key_value_store()", "cloudfront-keyvaluestore:DescribeKeyValueStore", "EdgeStoreArn"),
    (".put_key()", "cloudfront-keyvaluestore:PutKey", "EdgeStoreArn"),
    (".delete_key()", "cloudfront-keyvaluestore:DeleteKey", "EdgeStoreArn"),
];
/// The bus to which `shared/messages` sends the events of orders, for every function that asks for its name.
const ORDER_EVENTS: (&str, &str) = ("OrderEventsBus", "events:PutEvents");
/// The only request to a queue that is no message.
const QUEUE_ATTRIBUTES: (&str, &str) = (".get_queue_attributes()", "sqs:GetQueueAttributes");

fn patterns(repository: &Repository) -> Vec<Pattern> {
    let document = repository.documents.iter().find(|(path, _)| path.ends_with(ACCESS_PATTERNS)).map(|(_, text)| text.as_str());
    access_patterns::read(document.unwrap_or_default())
}

/// Accesses that functions make by another one of the store.
const BY_ANOTHER: [(&str, &str); 1] = [("Availabilities::put", "AvailabilityUpdate::write")];

/// The text of a crate, with each chain of calls in one line.
fn joined(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n").replace("\n.", ".")
}

/// The sources of a function and of the functions that it reuses.
fn with_reused(repository: &Repository, function: &str) -> String {
    let linked = linked::reachable(&repository.packages, function);
    let functions = repository.functions.iter().filter(|(name, _)| linked.contains(name.as_str()));
    functions.map(|(_, one)| joined(&one.text())).collect()
}

/// Rows whose operations are not those of the code.
fn operations(repository: &Repository) -> Faults {
    let store = repository.shared.get("store").into_iter().flat_map(|store| &store.sources);
    let module = |path: &std::path::Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let sources: Vec<(String, &str)> = store.map(|(path, text)| (module(path), text.as_str())).collect();
    let code = operations_of_store(&sources);
    let mut faults = Faults::new();
    for Pattern { access, operations, .. } in patterns(repository) {
        let documented: BTreeSet<String> = operations.iter().map(|operation| operation.name.clone()).collect();
        let found = code.get(&access).cloned().unwrap_or_default();
        if documented != found {
            faults.push(format!("{ACCESS_PATTERNS}: {access} is {documented:?}, and the code has {found:?}"));
        }
    }
    faults
}

/// The accesses that `source` makes by fields and variables whose types it names: `sales: Sales`, `self.sales.get(`.
fn accesses_in(source: &str, patterns: &[Pattern]) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let types: BTreeSet<&str> = patterns.iter().filter_map(|pattern| Some(pattern.access.split_once("::")?.0)).collect();
    let mut named = BTreeSet::new();
    for of in &types {
        for (at, _) in source.match_indices(of) {
            let is_whole = !source[at + of.len()..].starts_with(is_name);
            let before = source[..at].trim_end_matches('&');
            if let Some(before) = before.strip_suffix(": ").filter(|_| is_whole) {
                named.insert((before.rsplit(|c| !is_name(c)).next().unwrap_or_default().to_owned(), *of));
            }
        }
    }
    let accesses = patterns.iter().filter_map(|pattern| Some((pattern, pattern.access.split_once("::")?)));
    let made = accesses.filter(|(_, (of, method))| {
        named.iter().filter(|(_, named)| named == of).any(|(name, _)| {
            let call = format!("{name}.{method}(");
            source.match_indices(&call).any(|(at, _)| !source[..at].ends_with(is_name))
        })
    });
    made.map(|(pattern, _)| pattern.access.clone()).collect()
}

/// Calls that no row names, and rows that name a caller without a call.
fn callers(repository: &Repository) -> Faults {
    let patterns = patterns(repository);
    let mut faults = Faults::new();
    for (function, one) in &repository.functions {
        // A function may have the access only for those that reuse it.
        let reuses = |caller: &String| linked::reachable(&repository.packages, caller).contains(function.as_str());
        for access in accesses_in(&joined(&one.text()), &patterns) {
            if !patterns.iter().any(|pattern| pattern.access == access && pattern.callers.iter().any(reuses)) {
                faults.push(format!("{ACCESS_PATTERNS}: {function} calls {access}, and is no caller there"));
            }
        }
        let linked = linked::reachable(&repository.packages, function);
        let shared = repository.shared.iter().filter(|(name, _)| *name != "store" && linked.contains(name.as_str()));
        let reach = shared.map(|(_, one)| joined(&one.text())).chain([with_reused(repository, function)]).collect::<String>();
        for pattern in patterns.iter().filter(|pattern| pattern.callers.contains(function)) {
            let other = BY_ANOTHER.iter().find(|(access, _)| pattern.access == *access).map(|(_, other)| *other);
            let method = other.unwrap_or(&pattern.access).rsplit("::").next().unwrap_or_default();
            if ![format!(".{method}("), format!("{method}(&")].iter().any(|call| reach.contains(call)) {
                faults.push(format!("{ACCESS_PATTERNS}: nothing in {function} calls {}", pattern.access));
            }
        }
    }
    faults
}

/// What every function needs.
fn needed(repository: &Repository) -> Permissions {
    let mut needed = Permissions::new();
    let mut need = |function: &str, resource: &str, action: String| {
        needed.entry((function.to_owned(), resource.to_owned())).or_default().insert(action);
    };
    for pattern in &patterns(repository) {
        for caller in &pattern.callers {
            pattern.of(caller).for_each(|one| need(caller, &one.resource, format!("dynamodb:{}", one.name)));
        }
    }
    let registered = registered();
    for name in template::functions(&repository.template).keys() {
        let Some(wire) = registered.get(name.as_str()) else { continue };
        let (variables, source) = (asked(*wire), with_reused(repository, name));
        let resources: BTreeMap<&str, &str> =
            RESOURCES.into_iter().filter(|(variable, _)| variables.contains(*variable)).collect();
        for resource in resources.into_values() {
            if resource.ends_with("Queue") {
                let asks = source.contains(QUEUE_ATTRIBUTES.0);
                need(name, resource, if asks { QUEUE_ATTRIBUTES.1 } else { "sqs:SendMessage" }.to_owned());
            } else if resource == ORDER_EVENTS.0 {
                need(name, resource, ORDER_EVENTS.1.to_owned());
            } else if [PAYMENT_SECRETS, CHALLENGE_SECRET].contains(&resource) {
                need(name, resource, "secretsmanager:GetSecretValue".to_owned());
            }
            let requests = REQUESTS.iter().filter(|(request, _, of)| of.starts_with(resource) && source.contains(request));
            requests.for_each(|(_, action, of)| need(name, of, (*action).to_owned()));
        }
    }
    for (function, resource, actions) in needs_of_lambda(repository) {
        for action in actions {
            need(&function, &resource, (*action).to_owned());
        }
    }
    needed
}

fn policies(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let (needed, granted) = (needed(repository), of_template(repository, &mut faults));
    let nothing = BTreeSet::new();
    for pair in needed.keys().chain(granted.keys()).collect::<BTreeSet<_>>() {
        let (needed, granted) = (needed.get(pair).unwrap_or(&nothing), granted.get(pair).unwrap_or(&nothing));
        let (function, resource) = pair;
        faults.extend(needed.difference(granted).map(|action| format!("{function} needs {action} on {resource}, and may not")));
        faults
            .extend(granted.difference(needed).map(|action| format!("{function} may {action} on {resource}, and needs it not")));
    }
    faults
}

/// CloudFront lets a function read the stores that are associated with it, and no policy says so. The stack at the edge grants
/// nothing to anyone.
fn edge(repository: &Repository) -> Faults {
    let resources = repository.edge["Resources"].as_object().into_iter().flatten();
    let mut faults: Faults = resources
        .filter(|(_, resource)| resource["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::IAM::")))
        .map(|(name, _)| format!("infra/edge/template.yaml: {name} grants something"))
        .collect();
    let associated = &repository.edge["Resources"]["Gate"]["Properties"]["FunctionConfig"]["KeyValueStoreAssociations"];
    if *associated != json!([{"KeyValueStoreARN": {"Fn::GetAtt": "Store.Arn"}}]) {
        faults.push(format!("Gate: reads {associated}, not the stack's store alone"));
    }
    let calls = |text: &str| repository.gate.matches(text).count();
    if calls("kvs.") != calls("kvs.get(") || calls("cf.kvs(") != 1 {
        faults.push("gate.js: asks its store for more than values".to_owned());
    }
    faults
}

#[test]
fn the_document_says_what_each_access_asks_for() {
    none(&operations(&Repository::read()));
    notices(operations, "Stock::claim is {\"UpdateItem\"}, and the code has {\"GetItem\", \"UpdateItem\"}", |repository| {
        let source = repository.shared.get_mut("store").unwrap().sources.iter_mut().find(|(path, _)| path.ends_with("stock.rs"));
        let source = source.unwrap().1;
        *source = source.replace("pub async fn claim(", "pub async fn claim(\n        get: self.client.get_item(),");
    });
    notices(operations, "Sales::retire", |repository| {
        let document = repository.documents.get_mut(std::path::Path::new(ACCESS_PATTERNS)).unwrap();
        *document = document.replace("ConditionCheck of the sale", "a check of the sale");
    });
}

#[test]
fn the_document_names_the_callers_of_each_access() {
    none(&callers(&Repository::read()));
    notices(callers, "sell-stock calls Stock::sell, and is no caller there", |repository| {
        let document = repository.documents.get_mut(std::path::Path::new(ACCESS_PATTERNS)).unwrap();
        *document = document.replace("| `Stock::sell` | `sell-stock` |", "| `Stock::sell` | – |");
    });
    notices(callers, "nothing in notify-shopper calls Stock::delete_unused", |repository| {
        let document = repository.documents.get_mut(std::path::Path::new(ACCESS_PATTERNS)).unwrap();
        *document = document.replace(
            "| `Stock::delete_unused` | `manage-sale` |",
            "| `Stock::delete_unused` | `manage-sale`, `notify-shopper` |",
        );
    });
}

#[test]
fn a_policy_grants_what_access_patterns_and_other_calls_need_and_nothing_else() {
    none(&policies(&Repository::read()));
}

#[test]
fn a_policy_with_a_permission_too_many_or_too_few_is_noticed() {
    fn actions(function: &'static str, statement: usize, actions: serde_json::Value) -> impl FnOnce(&mut Repository) {
        properties(function, move |function| function["Policies"][0]["Statement"][statement]["Action"] = actions)
    }
    notices(policies, "sell-stock may dynamodb:PutItem on StockTable", {
        actions("SellStockFunction", 0, json!(["dynamodb:UpdateItem", "dynamodb:PutItem"]))
    });
    notices(policies, "get-sale needs dynamodb:GetItem on StockTable, and may not", actions("GetSaleFunction", 0, json!([])));
    let may = |function: &'static str, action: &'static str, resource: serde_json::Value| {
        properties(function, move |function| {
            let statements = function["Policies"][0]["Statement"].as_array_mut().unwrap();
            statements.push(json!({"Effect": "Allow", "Action": action, "Resource": resource}));
        })
    };
    let orders = || json!({"Fn::GetAtt": "OrdersQueue.Arn"});
    notices(policies, "get-sale may sqs:SendMessage on OrdersQueue", may("GetSaleFunction", "sqs:SendMessage", orders()));
    let saga = json!({"Ref": "PaymentSaga"});
    notices(policies, "reconcile may states:SendTaskSuccess", may("ReconcileFunction", "states:SendTaskSuccess", saga));
    notices(
        policies,
        "start-payment may sqs:ChangeMessageVisibility",
        may("StartPaymentFunction", "sqs:ChangeMessageVisibility", orders()),
    );
    notices(policies, "reserve needs dynamodb:Query on StockTable, and may not", |repository| {
        let document = repository.documents.get_mut(std::path::Path::new(ACCESS_PATTERNS)).unwrap();
        *document = document.replace("| `Rounds::start` | `reconcile` | GetItem", "| `Rounds::start` | `reserve` | Query");
        *document += "\n## Stock table\n| `Rounds::start` | `reconcile` | GetItem | – |\n";
    });
}

#[test]
fn the_gate_at_the_edge_reads_its_store_and_may_do_nothing_else() {
    none(&edge(&Repository::read()));
    notices(edge, "gate.js: asks its store for more than values", |repository| repository.gate.push_str("kvs.meta();"));
    notices(edge, "Extra grants something", |repository| {
        repository.edge["Resources"]["Extra"] = json!({"Type": "AWS::IAM::Role"});
    });
    notices(edge, "not the stack's store alone", |repository| {
        let config = &mut repository.edge["Resources"]["Gate"]["Properties"]["FunctionConfig"];
        config["KeyValueStoreAssociations"] = json!([{"KeyValueStoreARN": {"Ref": "Other"}}]);
    });
}
