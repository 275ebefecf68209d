//! The HTTP contract's route table, and everything that says the same in another language: `docs/openapi.json`, the template's
//! routes, authorizers, request models and gateway responses, and the sample events.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Group, Route, gateway_model, openapi, problems, routes};
use kit::ProblemKind;
use serde_json::{Value, json};
use system_tests::{Repository, template};
use test_cases::{Answer, Case, Event};
use test_shop::Conformance;

use crate::{Faults, none, notices};

const GENERATE: &str = "`cargo xtask openapi` writes it";

fn generated(repository: &Repository) -> Faults {
    let current = format!("{:#}\n", openapi(&routes()));
    let differs = repository.openapi.lines().zip(current.lines()).position(|(stands, current)| stands != current);
    if repository.openapi == current {
        return Faults::new();
    }
    let line = differs.map_or(repository.openapi.lines().count(), |line| line + 1);
    vec![format!("docs/openapi.json is not what the route table says, from line {line}: {GENERATE}")]
}

/// A route of the template.
#[derive(Debug, Clone, PartialEq)]
struct Deployed {
    function: String,
    needs_token: bool,
    request_model: Value,
}

/// The template's routes by method and path.
fn deployed(repository: &Repository) -> BTreeMap<(String, String), Deployed> {
    let api = &repository.template["Resources"]["Api"]["Properties"];
    let mut routes = BTreeMap::new();
    for (function, properties) in template::functions(&repository.template) {
        for event in properties.resource["Properties"]["Events"].as_object().into_iter().flat_map(|events| events.values()) {
            let event = (event["Type"] == "Api").then_some(&event["Properties"]);
            let Some(event) = event else { continue };
            let text = |member: &str| event[member].as_str().unwrap_or_default();
            let authorizer = event["Auth"]["Authorizer"].as_str().or_else(|| api["Auth"]["DefaultAuthorizer"].as_str());
            let needs_token = authorizer.is_some_and(|name| name != "NONE");
            let request_model = event["RequestModel"].clone();
            let route = Deployed { function: function.clone(), needs_token, request_model };
            routes.insert((text("Method").to_uppercase(), text("Path").to_owned()), route);
        }
    }
    routes
}

fn deployment(repository: &Repository) -> Faults {
    let deployed = deployed(repository);
    let mut faults = Faults::new();
    for route in routes() {
        let (method, path) = (route.method.as_str(), route.path);
        let Some(found) = deployed.get(&(method.to_owned(), path.to_owned())) else {
            faults.push(format!("template.yaml has no {method} {path}"));
            continue;
        };
        if found.function != route.function {
            faults.push(format!("{method} {path} is answered by {}, not by {}", found.function, route.function));
        }
        if found.needs_token != route.group.needs_token() {
            faults.push(format!("{method} {path} is for {}, and the template's authorizer is not", route.group.name()));
        }
        let model = match gateway_model(&route) {
            Some((name, _)) => json!({"Model": name, "Required": true, "ValidateBody": true}),
            None => Value::Null,
        };
        if found.request_model != model {
            faults.push(format!("{method} {path}: the RequestModel is {}, not {model}", found.request_model));
        }
    }
    let known: BTreeSet<_> = routes().iter().map(|route| (route.method.as_str().to_owned(), route.path.to_owned())).collect();
    faults.extend(
        deployed
            .keys()
            .filter(|route| !known.contains(*route))
            .map(|(method, path)| format!("{method} {path} of template.yaml is no route of the contract")),
    );
    faults
}

fn models(repository: &Repository) -> Faults {
    let wanted: BTreeMap<String, Value> = routes().iter().filter_map(gateway_model).collect();
    let found = &repository.template["Resources"]["Api"]["Properties"]["Models"];
    let names = found.as_object().into_iter().flat_map(|found| found.keys()).chain(wanted.keys());
    let differ = |name: &&String| wanted.get(*name) != found.get(*name);
    let faults: BTreeSet<String> =
        names.filter(differ).map(|name| format!("the model {name} of template.yaml is not the contract's: {GENERATE}")).collect();
    faults.into_iter().collect()
}

/// What a page of another origin may send is what the routes read. No page calls the routes of payment providers.
fn cors(repository: &Repository) -> Faults {
    let cors = &repository.template["Resources"]["Api"]["Properties"]["Cors"];
    let listed = |member: &str| -> BTreeSet<String> {
        cors[member].as_str().unwrap_or_default().trim_matches('\'').split(',').map(str::to_owned).collect()
    };
    let routes: Vec<Route> = routes().into_iter().filter(|route| route.group != Group::Providers).collect();
    let methods = routes.iter().map(|route| route.method.as_str().to_owned()).collect();
    let headers = routes.iter().flat_map(headers).chain(["Authorization", "Content-Type"].map(str::to_owned)).collect();
    let mut faults = Faults::new();
    for (member, wanted) in [("AllowMethods", methods), ("AllowHeaders", headers)] {
        if listed(member) != wanted {
            faults.push(format!("Cors: {member} is {:?}, and the routes read {wanted:?}", listed(member)));
        }
    }
    let of_functions = kit::http::CORS.iter().find(|(name, _)| *name == "access-control-allow-origin").map(|(_, value)| *value);
    if cors["AllowOrigin"].as_str().map(|origin| origin.trim_matches('\'')) != of_functions {
        faults.push(format!("Cors: AllowOrigin is {}, and functions answer {of_functions:?}", cors["AllowOrigin"]));
    }
    // A browser sends no token with a preflight.
    if repository.template["Resources"]["Api"]["Properties"]["Auth"]["AddDefaultAuthorizerToCorsPreflight"] != false {
        faults.push("Auth: a preflight needs a token".to_owned());
    }
    faults
}

fn headers(route: &Route) -> Vec<String> {
    let headers = route.parameters.iter().filter(|parameter| parameter.place == contract::Place::Header);
    headers.map(|parameter| parameter.name.to_owned()).collect()
}

/// What API Gateway refuses by itself is a refusal of the contract, to the last member.
fn gateway_responses(repository: &Repository) -> Faults {
    let kinds: Vec<ProblemKind> = routes().iter().flat_map(Route::problems).chain([ProblemKind::NOT_FOUND]).collect();
    let responses = &repository.template["Resources"]["Api"]["Properties"]["GatewayResponses"];
    let mut faults = Faults::new();
    for (name, response) in responses.as_object().expect("the API has gateway responses") {
        let body = response["ResponseTemplates"]["application/json"].as_str().unwrap_or_default();
        let problem: Value = serde_json::from_str(&body.replace("$context.requestId", "id")).unwrap_or_default();
        faults.extend(missing_headers(name, response));
        let Some(status) = response["StatusCode"].as_u64() else {
            // It stands in for refusals of several statuses.
            if name != "DEFAULT_4XX" {
                faults.push(format!("{name}: has no StatusCode, so API Gateway answers with one that the contract may not have"));
            }
            continue;
        };
        let Some(kind) = kinds.iter().find(|kind| problem["code"] == kind.code && u64::from(kind.status) == status) else {
            faults.push(format!("{name}: the contract has no {} with status {status}", problem["code"]));
            continue;
        };
        let described = problems::described(*kind);
        let members = described.members.iter().flat_map(|members| members.components.values());
        let members = members.flat_map(|schema| schema["required"].as_array().into_iter().flatten());
        let missing = members.filter_map(Value::as_str).filter(|member| problem[member].is_null());
        faults.extend(missing.map(|member| format!("{name}: {} has a member {member}", kind.code)));
        let has_retry_after = response["ResponseParameters"]["Headers"]["Retry-After"].is_string();
        if has_retry_after != described.has_retry_after {
            faults.push(format!("{name}: Retry-After of {} is not as in the contract", kind.code));
        }
    }
    faults
}

/// The headers of every answer that a response of API Gateway itself lacks, or has with another value.
fn missing_headers(name: &str, response: &Value) -> Faults {
    let found = response["ResponseParameters"]["Headers"].as_object().expect("headers");
    let found: BTreeMap<String, &str> =
        found.iter().map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap_or_default().trim_matches('\''))).collect();
    let usual =
        [("cache-control", "no-store"), ("content-type", "application/problem+json"), ("x-request-id", "context.requestId")];
    let usual = usual.into_iter().chain(kit::http::CORS).chain(kit::http::SECURITY);
    let faults = usual.filter(|(header, value)| found.get(*header) != Some(value));
    faults.map(|(header, value)| format!("{name}: the header {header} is not {value}")).collect()
}

/// The routes without a sample event that shows whom they refuse: a caller without a token, one who is no operator, and a payment
/// provider whose signature does not fit.
fn refused_callers(repository: &Repository) -> Faults {
    let refuses = |route: &Route, wanted: u16| {
        repository.cases.iter().any(|case| {
            let Event::Http(request) = &case.event else { return false };
            let is_of_route = route.method.as_str() == request.method && route.path == request.route;
            let is_refused = |answer: &Answer| matches!(answer, Answer::Http { status, .. } if *status == wanted);
            is_of_route && case.expected.iter().any(|expected| is_refused(&expected.answer))
        })
    };
    let wanted = |route: &Route| match route.group {
        Group::Anyone => [].as_slice(),
        Group::Shoppers => &[401_u16],
        Group::Operators => &[401, 403],
        Group::Providers => &[400],
    };
    let mut faults = Faults::new();
    for route in &routes() {
        let missing = wanted(route).iter().filter(|status| !refuses(route, **status));
        faults.extend(missing.map(|status| format!("{} has no case that is refused with {status}", route.name)));
    }
    faults
}

/// Sample events are requests of routes of the contract, and what is expected of them is an answer that their route has. One that
/// is answered with a success is as its route describes it.
fn events(repository: &Repository) -> Faults {
    let (contract, routes) = (Conformance::of_the_contract(), routes());
    let mut faults = Faults::new();
    for case in &repository.cases {
        let Event::Http(request) = &case.event else { continue };
        let at = format!("events/{}/{}.json", case.function, case.name);
        let (method, path) = (request.method, request.route);
        let Some(route) = routes.iter().find(|route| route.method.as_str() == method && route.path == path) else {
            faults.push(format!("{at}: {method} {path} is no route of the contract"));
            continue;
        };
        if route.function != case.function {
            faults.push(format!("{at}: {method} {path} is answered by {}", route.function));
        }
        let answers = case.expected.iter().filter_map(|expected| match &expected.answer {
            Answer::Http { status, body } => Some((*status, body["code"].as_str())),
            Answer::FailedRecords(_) | Answer::Output(_) | Answer::Error(_) => None,
        });
        for (status, code) in answers.clone() {
            let succeeds = route.answers.iter().any(|answer| answer.status == status);
            let refuses = route.problems().iter().any(|kind| kind.status == status && code.is_none_or(|code| code == kind.code));
            if !succeeds && !refuses {
                faults.push(format!("{at}: {method} {path} does not answer {status} {}", code.unwrap_or_default()));
            }
        }
        if answers.clone().any(|(status, _)| status < 300) {
            let found = contract.request_faults(route, &case.json());
            faults.extend(found.into_iter().map(|fault| format!("{at}: {fault}")));
        }
    }
    faults
}

#[test]
fn the_description_of_the_api_is_the_one_that_the_route_table_gives() {
    none(&generated(&Repository::read()));
}

#[test]
fn a_description_that_is_stale_is_noticed() {
    notices(generated, "not what the route table says, from line 2", |repository| {
        repository.openapi = repository.openapi.replacen("\"components\"", "\"component\"", 1);
    });
    notices(generated, "not what the route table says", |repository| repository.openapi.push('\n'));
}

#[test]
fn the_template_has_the_routes_of_the_contract_with_their_authorizers_and_models() {
    none(&deployment(&Repository::read()));
    none(&models(&Repository::read()));
    none(&cors(&Repository::read()));
}

fn event<'r>(repository: &'r mut Repository, function: &str, event: &str) -> &'r mut Value {
    &mut repository.template["Resources"][function]["Properties"]["Events"][event]["Properties"]
}

#[test]
fn a_route_that_is_deployed_otherwise_is_noticed() {
    notices(deployment, "GET /metrics of template.yaml is no route", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["Events"]["Metrics"] =
            json!({"Type": "Api", "Properties": {"Path": "/metrics", "Method": "get"}});
    });
    notices(deployment, "no GET /health", |repository| {
        repository.template["Resources"]["HealthFunction"]["Properties"]["Events"].as_object_mut().unwrap().remove("Read");
    });
    notices(deployment, "GET /inventory/{product_id} is for anyone", |repository| {
        event(repository, "GetInventoryFunction", "Read")["Auth"] = json!({});
    });
    notices(deployment, "POST /checkout is for shoppers", |repository| {
        event(repository, "CheckoutFunction", "Checkout")["Auth"] = json!({"Authorizer": "NONE"});
    });
    notices(deployment, "POST /add-to-cart is answered by pay, not by reserve", |repository| {
        let events = &mut repository.template["Resources"]["ReserveFunction"]["Properties"]["Events"];
        let moved = events.as_object_mut().unwrap().remove("AddToCart").unwrap();
        repository.template["Resources"]["PayFunction"]["Properties"]["Events"]["AddToCart"] = moved;
    });
    notices(deployment, "POST /checkout: the RequestModel", |repository| {
        event(repository, "CheckoutFunction", "Checkout")["RequestModel"]["ValidateBody"] = json!(false);
    });
    notices(models, "the model RestockRequest", |repository| {
        repository.template["Resources"]["Api"]["Properties"]["Models"]["RestockRequest"]["required"] = json!([]);
    });
    notices(models, "the model RefundRequest", |repository| {
        repository.template["Resources"]["Api"]["Properties"]["Models"]["RefundRequest"] = json!({"type": "object"});
    });
    notices(cors, "AllowOrigin", |repository| {
        repository.template["Resources"]["Api"]["Properties"]["Cors"]["AllowOrigin"] = json!("'https://example.com'");
    });
    notices(cors, "a preflight needs a token", |repository| {
        repository.template["Resources"]["Api"]["Properties"]["Auth"]["AddDefaultAuthorizerToCorsPreflight"] = json!(true);
    });
    notices(cors, "AllowHeaders", |repository| {
        repository.template["Resources"]["Api"]["Properties"]["Cors"]["AllowHeaders"] = json!("'Authorization,Content-Type'");
    });
}

#[test]
fn every_route_has_a_case_for_each_caller_that_it_refuses() {
    none(&refused_callers(&Repository::read()));
}

#[test]
fn a_route_that_nothing_shows_to_refuse_is_noticed() {
    notices(refused_callers, "close-sale has no case that is refused with 403", |repository| {
        repository.cases.retain(|case| case.function != "change-sale-status" || case.name != "not-an-operator");
    });
}

#[test]
fn the_servers_of_the_description_have_the_stage_of_the_template() {
    let stage = Repository::read().template["Resources"]["Api"]["Properties"]["StageName"].as_str().expect("a stage").to_owned();
    let server = openapi(&routes())["servers"][0]["url"].as_str().expect("an address").to_owned();
    assert!(server.ends_with(&format!("/{stage}")), "{server}");
}

#[test]
fn the_gateway_refuses_as_the_contract_says() {
    none(&gateway_responses(&Repository::read()));
}

#[test]
fn a_gateway_response_that_no_route_has_is_noticed() {
    let change = |name: &'static str, change: fn(&mut Value)| {
        move |repository: &mut Repository| {
            change(&mut repository.template["Resources"]["Api"]["Properties"]["GatewayResponses"][name]);
        }
    };
    notices(
        gateway_responses,
        "has no StatusCode",
        change("DEFAULT_5XX", |response| {
            response.as_object_mut().unwrap().remove("StatusCode");
        }),
    );
    notices(
        gateway_responses,
        "the header access-control-allow-origin is not *",
        change("DEFAULT_4XX", |response| {
            response["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] = json!("'https://example.com'");
        }),
    );
    notices(
        gateway_responses,
        "no \"try-again\" with status 504",
        change("INTEGRATION_TIMEOUT", |response| {
            response["StatusCode"] = json!(504);
        }),
    );
    notices(
        gateway_responses,
        "malformed-request has a member pointer",
        change("BAD_REQUEST_BODY", |response| {
            response["ResponseTemplates"]["application/json"] = json!({"code": "malformed-request"}).to_string().into();
        }),
    );
    notices(
        gateway_responses,
        "Retry-After of rate-limited",
        change("THROTTLED", |response| {
            response["ResponseParameters"]["Headers"]["Retry-After"] = Value::Null;
        }),
    );
}

#[test]
fn sample_events_are_requests_of_the_contract() {
    none(&events(&Repository::read()));
}

#[test]
fn a_sample_event_that_the_contract_does_not_know_is_noticed() {
    let changed = |function: &'static str, name: &'static str, change: fn(&mut Case)| {
        move |repository: &mut Repository| {
            change(repository.cases.iter_mut().find(|case| case.function == function && case.name == name).unwrap());
        }
    };
    let of_another = |other: &'static str| {
        move |repository: &mut Repository| {
            let other = repository.cases.iter().find(|case| case.function == other && case.name == "ok").unwrap().clone();
            let case = repository.cases.iter_mut().find(|case| case.function == "checkout" && case.name == "ok").unwrap();
            (case.event, case.expected) = (other.event, other.expected);
        }
    };
    notices(events, "PATCH /checkout is no route", |repository| {
        changed("checkout", "ok", |case| {
            let Event::Http(request) = &mut case.event else { panic!("checkout answers requests") };
            request.method = "PATCH";
        })(repository);
    });
    notices(events, "events/checkout/ok.json: POST /payment is answered by pay", of_another("pay"));
    notices(events, "POST /checkout does not answer 409 sold-out", |repository| {
        changed("checkout", "unknown-cart", |case| {
            case.expected[0].answer = Answer::Http { status: 409, body: json!({"code": "sold-out"}) };
        })(repository);
    });
    notices(events, "events/checkout/missing-cart-id.json: \"cart_id\" is a required property", |repository| {
        changed("checkout", "missing-cart-id", |case| case.expected[0].answer = Answer::Http { status: 202, body: Value::Null })(
            repository,
        );
    });
    notices(events, "events/get-sale/impossible-product-id.json: product_id", |repository| {
        changed("get-sale", "impossible-product-id", |case| {
            case.expected[0].answer = Answer::Http { status: 200, body: Value::Null };
        })(repository);
    });
}
