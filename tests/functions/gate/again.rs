//! What the functions check again, because API Gateway keeps the authorizer's answer for five minutes and for every route: the end of
//! the token, the realm, the group. `hidden.rs` and the functions' own tests show that a caller sees only its own data.

use contract::{Group, Route, routes};
use kit::{Function, Request};
use serde_json::json;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Answered, Buyer, Conformance, Given, Shop, brief};

/// A request of the route that would be granted, or refused for something else, with the right caller.
fn request(route: &Route) -> RequestBuilder {
    let order = Buyer::first().id.to_string();
    let path = route.path.replace("{product_id}", "demo").replace("{order_id}", &order).replace("{reservation_id}", &order);
    let request = test_aws::request(route.method.as_str(), &path).header("idempotency-key", "k-1");
    let parameters = [("product_id", "demo"), ("order_id", &order), ("reservation_id", &order)];
    let in_path = parameters.into_iter().filter(|(name, _)| route.path.contains(&format!("{{{name}}}")));
    let request = in_path.fold(request, |request, (name, value)| request.path_parameter(name, value));
    let request = request.query("product_id", "demo").query("status", "refund_pending");
    if route.body.is_some() { request.json(&json!({"product_id": "demo"})) } else { request }
}

/// The answer of the route's function, on a shop that counts its calls.
async fn answer(shop: &Shop, calls: &Calls, route: &Route, request: RequestBuilder) -> String {
    let groups = [shoppers::FUNCTIONS, operators::FUNCTIONS];
    let wire = groups.into_iter().find_map(|group| parts::find(group, route.function)).unwrap();
    let Ok(Function::Http(handle)) = wire(&mut shop.parts(calls)) else { panic!("{} is not of the API", route.name) };
    // `resourcePath` is the route's, as API Gateway writes it.
    let mut event = request.into_event();
    event["requestContext"]["resourcePath"] = json!(route.path);
    let path = event["path"].as_str().unwrap().to_owned();
    let request: Request = serde_json::from_value::<kit::http::GatewayEvent>(event).unwrap().into();
    let response = handle(request).await;
    let faults = Conformance::of_the_contract().faults(route.method.as_str(), &path, &Answered::from(&response));
    assert!(faults.is_empty(), "{}: {faults:?}", route.name);
    brief(&response)
}

fn of_group(group: Group) -> impl Iterator<Item = Route> {
    routes().into_iter().filter(move |route| route.group == group)
}

/// With the token's end so many seconds away.
fn ending_in(shop: &Shop, request: RequestBuilder, seconds: i64) -> RequestBuilder {
    request.granted("exp", json!((shop.now().as_second() + seconds).to_string()))
}

#[tokio::test]
async fn every_route_refuses_a_grant_whose_token_has_ended_without_a_call() {
    let shop = Shop::empty().await;
    shop.give(Given::Held).await;
    for route in of_group(Group::Shoppers).chain(of_group(Group::Operators)) {
        let calls = Calls::new();
        let caller = request(&route).shopper(Buyer::first().shopper.as_str());
        let caller = if route.group == Group::Operators { caller.group("ops") } else { caller };
        for seconds in [-60, -299] {
            let told = answer(&shop, &calls, &route, ending_in(&shop, caller.clone(), seconds)).await;
            assert_eq!((told.as_str(), calls.total()), ("401 unauthenticated", 0), "{}", route.name);
        }
        let told = answer(&shop, &calls, &route, ending_in(&shop, caller, -59)).await;
        assert!(!told.starts_with("401"), "{}: {told}", route.name);
    }
}

#[tokio::test]
async fn no_route_of_shoppers_serves_an_operator_even_with_a_shoppers_id() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    shop.give(Given::Held).await;
    for route in of_group(Group::Shoppers) {
        for groups in ["", "ops", "ops,admin"] {
            let operator = request(&route).shopper(Buyer::first().shopper.as_str()).group(groups);
            assert_eq!(answer(&shop, &calls, &route, operator).await, "403 forbidden", "{}", route.name);
        }
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn no_route_of_operators_serves_a_customer_whatever_groups_the_grant_names() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    for route in of_group(Group::Operators) {
        for groups in ["", "ops", "admin,ops"] {
            let customer = request(&route).shopper("ann").granted("groups", json!(groups));
            assert_eq!(answer(&shop, &calls, &route, customer).await, "403 forbidden", "{}", route.name);
        }
        for groups in ["", "opsx", "reports"] {
            let operator = request(&route).shopper("olga").group(groups);
            assert_eq!(answer(&shop, &calls, &route, operator).await, "403 forbidden", "{}", route.name);
        }
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn no_route_believes_the_claims_of_the_authorizer_that_was_there_before() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    for route in of_group(Group::Shoppers).chain(of_group(Group::Operators)) {
        let before = request(&route).granted("claims", json!({"sub": "ann", "cognito:groups": "ops", "exp": "253370764800"}));
        assert_eq!(answer(&shop, &calls, &route, before).await, "401 unauthenticated", "{}", route.name);
    }
    assert_eq!(calls.total(), 0);
}
