//! The stack at the edge: its paths fit the API's routes, its web ACL fits AWS' capacity, and its gate is the one that is
//! tested.

use contract::{Group, Method, routes};
use serde_json::Value;
use system_tests::{Repository, template};

use crate::{Faults, none, notices};

/// Capacity units of a web ACL at the basic price
/// (<https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html>).
const MOST_UNITS: u64 = 1_500;
/// Managed rule groups with their capacity units, as AWS documents them.
const GROUPS: [(&str, u64); 3] = [
    ("AWSManagedRulesCommonRuleSet", 700),
    ("AWSManagedRulesKnownBadInputsRuleSet", 200),
    ("AWSManagedRulesBotControlRuleSet", 50),
];
/// Units of each text transformation. AWS does not say that NONE is free.
const TRANSFORMATION: u64 = 10;
/// `CachingDisabled` of AWS.
const UNCACHED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// `AllViewerExceptHostHeader` of AWS.
const WHOLE_REQUEST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

fn distribution(repository: &Repository) -> &Value {
    &repository.edge["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
}

/// The behaviour of the distribution for `path`.
fn behaviour<'r>(repository: &'r Repository, path: &str) -> &'r Value {
    let ordered = distribution(repository)["CacheBehaviors"].as_array().into_iter().flatten();
    let fits = |behaviour: &&Value| fits(behaviour["PathPattern"].as_str().unwrap_or_default().as_bytes(), path.as_bytes());
    ordered.into_iter().find(fits).unwrap_or(&distribution(repository)["DefaultCacheBehavior"])
}

/// CloudFront's patterns: `*` stands for any characters, also slashes.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => fits(rest, path) || path.split_first().is_some_and(|(_, path)| fits(pattern, path)),
        (Some((expected, pattern)), Some((found, path))) => expected == found && fits(pattern, path),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The routes that the gate judges.
fn is_gated(path: &str) -> bool {
    ["/reserve-inventory", "/add-to-cart", "/api/flash-sales/{product_id}/order"].contains(&path)
}

/// Public reads of sales are cached and have no token; nothing else is cached; reservations pass the gate.
fn behaviours(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for route in routes() {
        let name = format!("{} {}", route.method.as_str(), route.path);
        let is_public_read = route.group == Group::Anyone && route.method == Method::Get && route.path != "/health";
        for path in [route.path.to_owned(), format!("{}/", route.path)] {
            let behaviour = behaviour(repository, &path.replace("{product_id}", "demo"));
            let is_cached = behaviour["CachePolicyId"]["Ref"] == "PublicReads";
            if is_cached != is_public_read || (!is_cached && behaviour["CachePolicyId"] != UNCACHED) {
                faults.push(format!("{name}: is cached: {is_cached}"));
            }
            let has_whole_request = behaviour["OriginRequestPolicyId"] == WHOLE_REQUEST;
            if has_whole_request == is_cached {
                faults.push(format!("{name}: reaches the API with the whole request: {has_whole_request}"));
            }
            let methods = behaviour["AllowedMethods"].as_array().cloned().unwrap_or_default();
            if !methods.iter().any(|method| method == route.method.as_str()) {
                faults.push(format!("{name}: CloudFront refuses the method"));
            }
            let has_gate = behaviour["FunctionAssociations"][0]["FunctionARN"]["Fn::GetAtt"] == "Gate.FunctionARN";
            if has_gate != is_gated(route.path) {
                faults.push(format!("{name}: passes the gate: {has_gate}"));
            }
        }
    }
    faults
}

/// What is cached is what the API allows, for a second at most, and no token reaches the API with it.
fn cache(repository: &Repository) -> Faults {
    let policy = &repository.edge["Resources"]["PublicReads"]["Properties"]["CachePolicyConfig"];
    let key = &policy["ParametersInCacheKeyAndForwardedToOrigin"];
    let mut faults = Faults::new();
    if (&policy["MinTTL"], &policy["DefaultTTL"], &policy["MaxTTL"]) != (&0.into(), &0.into(), &1.into()) {
        faults.push("PublicReads: keeps answers longer than a second, or against the API's word".to_owned());
    }
    let names =
        |list: &Value| list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    if names(&key["HeadersConfig"]["Headers"]) != ["Origin"] || key["CookiesConfig"]["CookieBehavior"] != "none" {
        faults.push("PublicReads: a header or a cookie of a shopper reaches the API".to_owned());
    }
    let public = routes().into_iter().filter(|route| route.group == Group::Anyone && route.path.starts_with("/api/"));
    let mut read: Vec<String> = public
        .flat_map(|route| route.parameters)
        .filter(|parameter| parameter.place == contract::Place::Query)
        .map(|parameter| parameter.name.to_owned())
        .collect();
    read.sort();
    if names(&key["QueryStringsConfig"]["QueryStrings"]) != read {
        faults.push(format!("PublicReads: its parameters are not {read:?}"));
    }
    faults
}

/// The capacity units of a statement, at most.
fn units(statement: &Value) -> u64 {
    let nested = |statements: &Value| statements.as_array().into_iter().flatten().map(units).sum::<u64>();
    let (kind, body) = statement.as_object().and_then(|statement| statement.iter().next()).expect("a statement");
    let transformations = body["TextTransformations"].as_array().map_or(0, |list| TRANSFORMATION * list.len() as u64);
    match kind.as_str() {
        "AndStatement" | "OrStatement" => nested(&body["Statements"]),
        "NotStatement" => units(&body["Statement"]),
        "RateBasedStatement" => 2 + units(&body["ScopeDownStatement"]),
        "ManagedRuleGroupStatement" => {
            let group = GROUPS.iter().find(|(name, _)| body["Name"] == *name).expect("a group with known units");
            group.1 + if body["ScopeDownStatement"].is_null() { 0 } else { units(&body["ScopeDownStatement"]) }
        }
        // For exact matches.
        "ByteMatchStatement" if body["PositionalConstraint"] == "EXACTLY" => 2 + transformations,
        "SizeConstraintStatement" => 1 + transformations,
        other => panic!("{other}: add its capacity units"),
    }
}

/// Every rule of the web ACL, also those that are options.
fn rules(repository: &Repository) -> Vec<&Value> {
    let rules = repository.edge["Resources"]["WebAcl"]["Properties"]["Rules"].as_array().expect("rules");
    rules.iter().map(|rule| rule["Fn::If"].get(1).unwrap_or(rule)).collect()
}

fn capacity(repository: &Repository) -> Faults {
    let sum: u64 = rules(repository).into_iter().map(|rule| units(&rule["Statement"])).sum();
    println!("the web ACL takes at most {sum} of {MOST_UNITS} capacity units");
    if sum > MOST_UNITS { vec![format!("WebAcl: takes {sum} capacity units, more than {MOST_UNITS}")] } else { Faults::new() }
}

/// A CAPTCHA stands before the page only, and no rule but those by address looks at a payment provider's events.
fn web_acl(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for rule in rules(repository) {
        let (name, statement) = (rule["Name"].as_str().unwrap_or_default(), rule["Statement"].to_string());
        let is_for_the_page = statement.contains(r#"{"Ref":"PagePath"}"#);
        let asks_people = !rule["Action"]["Captcha"].is_null() || !rule["Action"]["Challenge"].is_null();
        if asks_people != is_for_the_page {
            faults.push(format!("{name}: a CAPTCHA stands before the API"));
        }
        for route in routes().iter().filter(|route| route.group == Group::Providers) {
            if !is_for_the_page && !statement.contains(&format!("\"{}\"", route.path)) {
                faults.push(format!("{name}: may refuse {}", route.path));
            }
        }
    }
    let mut priorities: Vec<_> = rules(repository).iter().map(|rule| rule["Priority"].to_string()).collect();
    priorities.sort();
    priorities.dedup();
    if priorities.len() != rules(repository).len() {
        faults.push("WebAcl: two rules have the same priority".to_owned());
    }
    faults
}

/// The gate of the template is the file that the tests run.
fn gate(repository: &Repository) -> Faults {
    let code = &repository.edge["Resources"]["Gate"]["Properties"]["FunctionCode"];
    if *code == *repository.gate {
        Faults::new()
    } else {
        vec!["infra/edge/template.yaml has not the code of infra/edge/gate/gate.js: cargo xtask edge".to_owned()]
    }
}

/// The parameters by which the two stacks know each other.
fn parameters(repository: &Repository) -> Faults {
    let outputs = &repository.edge["Outputs"];
    let mut faults = Faults::new();
    if outputs["StoreArn"]["Value"]["Fn::GetAtt"] != "Store.Arn" || repository.template["Parameters"]["EdgeStoreArn"].is_null() {
        faults.push("the API's stack does not learn of the gate's store".to_owned());
    }
    let stores = template::resources(&repository.edge, "AWS::CloudFront::KeyValueStore").count();
    if stores != 1 {
        faults.push(format!("{stores} stores"));
    }
    faults
}

#[test]
fn public_reads_are_cached_nothing_personal_is_and_reservations_pass_the_gate() {
    none(&behaviours(&Repository::read()));
    notices(behaviours, "POST /checkout: is cached: true", |repository| {
        let config = &mut repository.edge["Resources"]["Distribution"]["Properties"]["DistributionConfig"];
        let cached = config["CacheBehaviors"][4].clone();
        config["CacheBehaviors"].as_array_mut().unwrap().push(serde_json::json!({
            "PathPattern": "/checkout", "CachePolicyId": cached["CachePolicyId"], "OriginRequestPolicyId": null,
            "AllowedMethods": ["POST"],
        }));
    });
}

#[test]
fn the_cache_keeps_a_public_answer_for_a_second_at_most() {
    none(&cache(&Repository::read()));
    notices(cache, "longer than a second", |repository| {
        repository.edge["Resources"]["PublicReads"]["Properties"]["CachePolicyConfig"]["MaxTTL"] = 60.into();
    });
    notices(cache, "a header or a cookie", |repository| {
        let policy = &mut repository.edge["Resources"]["PublicReads"]["Properties"]["CachePolicyConfig"];
        policy["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"] = serde_json::json!(["Authorization"]);
    });
}

#[test]
fn the_web_acl_fits_into_its_capacity_with_all_options() {
    none(&capacity(&Repository::read()));
    notices(capacity, "more than 1500", |repository| {
        let rules = repository.edge["Resources"]["WebAcl"]["Properties"]["Rules"].as_array_mut().unwrap();
        let common = rules.iter().find(|rule| rule["Name"] == "common").unwrap().clone();
        rules.push(common);
    });
}

#[test]
fn the_web_acl_asks_no_client_of_the_api_for_a_captcha_and_leaves_webhooks_alone() {
    none(&web_acl(&Repository::read()));
    notices(web_acl, "common: a CAPTCHA stands before the API", |repository| {
        let rules = repository.edge["Resources"]["WebAcl"]["Properties"]["Rules"].as_array_mut().unwrap();
        rules.iter_mut().find(|rule| rule["Name"] == "common").unwrap()["Action"] = serde_json::json!({"Captcha": {}});
    });
}

#[test]
fn the_deployed_gate_is_the_tested_one() {
    none(&gate(&Repository::read()));
    notices(gate, "cargo xtask edge", |repository| repository.gate.push(' '));
    none(&parameters(&Repository::read()));
}
