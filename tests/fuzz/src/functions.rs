//! The functions themselves, at the events that AWS sends them: whatever a client, a provider or a message says in such an
//! event, a function answers in the words of its contract.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock};

use contract::{Place, Route};
use kit::{AuthorizerEvent, Function, ProblemKind, Request, Response, http::GatewayEvent, workers};
use lambda_http::http::HeaderValue;
use serde_json::{Value, json};

use crate::{
    tokens::{TRUE_TOKENS, is_true},
    webhooks,
    world::{World, waited},
};

/// Events per environment. A new environment then starts with empty memory and fakes: a function remembers what it has seen,
/// and the fakes around it keep what they receive.
const EVENTS_OF_ONE_ENVIRONMENT: usize = 500;

/// A function in its environment.
struct Environment {
    world: World,
    function: Function,
    events: usize,
}

impl Environment {
    fn new(name: &str) -> Option<Self> {
        let world = World::new();
        let function = wire(name)?(&mut world.parts(&[])).expect("the world has all variables");
        Some(Self { world, function, events: 0 })
    }
}

/// The wiring of a function.
pub(crate) fn wire(name: &str) -> Option<parts::Wire> {
    let groups = [gate::FUNCTIONS, operators::FUNCTIONS, saga_tasks::FUNCTIONS, shoppers::FUNCTIONS, ::workers::FUNCTIONS];
    groups.into_iter().find_map(|group| parts::find(group, name))
}

/// The first line names the function; the rest is its event.
pub(crate) fn event(input: &[u8]) -> bool {
    thread_local! {
        static ENVIRONMENTS: RefCell<HashMap<String, Environment>> = RefCell::default();
    }
    let Some((name, event)) = std::str::from_utf8(input).ok().and_then(|text| text.split_once('\n')) else { return false };
    let Ok(event) = serde_json::from_str::<Value>(event) else { return false };
    ENVIRONMENTS.with_borrow_mut(|environments| {
        if environments.get(name).is_none_or(|one| one.events >= EVENTS_OF_ONE_ENVIRONMENT) {
            let Some(environment) = Environment::new(name) else { return false };
            environments.insert(name.to_owned(), environment);
        }
        let environment = environments.get_mut(name).expect("it was made");
        environment.events += 1;
        run(name, environment, event)
    })
}

/// Whether the function did what the event asks for.
fn run(name: &str, environment: &Environment, event: Value) -> bool {
    match &environment.function {
        Function::Http(handle) => {
            let Some(route) = route_of(name, &event) else { return false };
            let Ok(event) = serde_json::from_value::<GatewayEvent>(with_route(event, route)) else { return false };
            let before = environment.world.table.calls();
            let response = waited(handle(Request::from(event)));
            let status = response.status().as_u16();
            is_documented(route, &response);
            let is_unasked = environment.world.table.calls() == before;
            assert!(status < 500 || !is_unasked, "{name} fails with {status} before it asks for anything");
            status < 400
        }
        Function::Authorizer(handle) => {
            let Ok(event) = serde_json::from_value::<AuthorizerEvent>(event) else { return false };
            let (header, method) = (event.authorization_token.clone(), event.method_arn.clone());
            match waited(handle(event)) {
                Ok(policy) => {
                    is_true(header.split(' ').next_back().unwrap_or_default());
                    let granted = policy["policyDocument"]["Statement"][0]["Resource"].as_str().expect("a resource");
                    let stage = granted.strip_suffix("/*").expect("the whole stage");
                    assert!(method.starts_with(&format!("{stage}/")), "{granted} for {method}");
                    true
                }
                Err(error) => {
                    assert!(["Unauthorized", "Unavailable"].contains(&error.error_message.as_str()), "{error:?}");
                    false
                }
            }
        }
        Function::Queue(handle) => {
            let Ok(event) = serde_json::from_value::<workers::SqsEvent>(event) else { return false };
            let ids: Vec<String> = event.records.iter().map(|record| record.message_id.clone().unwrap_or_default()).collect();
            let failed = waited(handle(event)).batch_item_failures;
            assert!(
                failed.iter().all(|failure| ids.contains(&failure.item_identifier)),
                "{name} names a message that is not there"
            );
            failed.is_empty()
        }
        Function::Stream(handle) => {
            let Ok(event) = serde_json::from_value::<workers::StreamEvent>(event) else { return false };
            let numbers: Vec<_> =
                event.records.iter().map(|record| record.change.sequence_number.clone().unwrap_or_default()).collect();
            let failed = waited(handle(event)).batch_item_failures;
            let is_known = |number: &Option<String>| number.as_ref().is_some_and(|number| numbers.contains(number));
            assert!(failed.iter().all(|failure| is_known(&failure.item_identifier)), "{name} names a record that is not there");
            failed.is_empty()
        }
        Function::Task(handle) => match waited(handle(event)) {
            Ok(_) => true,
            Err(error) => {
                assert!(error.error_type.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{error:?} has no name");
                false
            }
        },
        Function::Schedule(handle) => waited(handle("2026-11-01T12:02:00Z".parse().unwrap())).is_ok(),
    }
}

/// Checks that the route has this answer: one of its successes, or one of its refusals with its code. The tests of functions
/// hold every member of an answer against the contract, which takes too long here.
fn is_documented(route: &Route, response: &Response) {
    let (status, body) = (response.status().as_u16(), response.body().as_ref());
    if route.answers.iter().any(|answer| answer.status == status) {
        return;
    }
    let problem: Value = serde_json::from_slice(body).expect("a refusal has a body");
    let is_problem = |kind: &ProblemKind| kind.status == status && problem["code"] == kind.code && problem["status"] == status;
    assert!(route.problems().iter().any(is_problem), "{} is answered with {problem}", route.name);
    assert_eq!(response.headers().get("content-type").map(HeaderValue::as_bytes), Some(&b"application/problem+json"[..]));
}

/// The route that the event names, if the function answers it and the event has its parameter. API Gateway sends no other.
fn route_of(function: &str, event: &Value) -> Option<&'static Route> {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(contract::routes);
    let is_named = |route: &&Route| {
        let parameter = route.parameters.iter().find(|parameter| parameter.place == Place::Path);
        let has_parameter = parameter.is_none_or(|parameter| event["pathParameters"][parameter.name].is_string());
        has_parameter && event["httpMethod"] == route.method.as_str() && event["resource"] == route.path
    };
    ROUTES.iter().filter(|route| route.function == function).find(is_named)
}

/// The event with what API Gateway itself says of the request.
fn with_route(mut event: Value, route: &Route) -> Value {
    if !route.path.contains('{') {
        event["pathParameters"] = Value::Null;
    }
    if let Some(context) = event["requestContext"].as_object_mut() {
        context.insert("httpMethod".to_owned(), json!(route.method.as_str()));
        context.insert("resourcePath".to_owned(), json!(route.path));
    }
    event
}

/// Every sample event, and those whose signatures are true.
pub(crate) fn event_seeds() -> Vec<Vec<u8>> {
    let samples = test_cases::cases().into_iter().map(|case| (case.function, case.json()));
    let tokens = TRUE_TOKENS.iter().map(|token| {
        let arn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/GET/orders";
        ("authorize", json!({"type": "TOKEN", "authorizationToken": format!("Bearer {token}"), "methodArn": arn}))
    });
    let signed = webhooks::stripe_seeds().into_iter().map(|seed| {
        let (header, body) = std::str::from_utf8(&seed).ok().and_then(|text| text.split_once('\n')).expect("a header and a body");
        (
            "receive-stripe",
            test_aws::request("POST", "/webhooks/stripe").header("stripe-signature", header).body(body).into_event(),
        )
    });
    let events = samples.chain(tokens).chain(signed.collect::<Vec<_>>());
    events.map(|(function, event)| format!("{function}\n{event}").into_bytes()).collect()
}
