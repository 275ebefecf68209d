//! The bodies that `docs/openapi.json` describes are the bodies that the functions take: both ways, at every limit.

use std::collections::BTreeMap;

use contract::{Group, Route, gateway_model, openapi, routes};
use domain::SandboxMethod;
use jsonschema::Validator;
use kit::Function;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Given, NOW, Shop};

use crate::{Faults, none};

/// A route with a body that its function takes.
struct Taken {
    route: &'static str,
    /// The state of the tables. The body's values are such that the function never gets as far as to change much.
    given: Given,
    /// The product in the path.
    product: &'static str,
    body: Value,
}

fn taken() -> Vec<Taken> {
    let address = json!({
        "name": "Ann Example", "address_line1": "1 Market Street", "address_line2": "Apartment 4", "city": "Springfield",
        "state": "MI", "postal_code": "49007", "country": "US", "phone": "+1 517 555 0100", "more": 1,
    });
    let (id, shopper) = (Buyer::first().id.to_string(), Buyer::first().shopper.to_string());
    let sale = json!({
        "name": "Phone", "description": "A phone.", "image_url": "https://example.com/phone.png",
        "price": {"amount_minor": 99_900, "currency": "USD"}, "units": 100, "starts_at": "2026-11-01T12:00:00Z",
        "ends_at": "2026-11-02T12:00:00Z", "hold_seconds": 300, "max_hold_seconds": 600, "max_per_shopper": 2, "admission": {"mode": "fcfs"}, "shards": 4,
    });
    let reserve = json!({"product_id": "demo", "quantity": 2, "user_id": shopper, "more": 1});
    let checkout = json!({"cart_id": id, "payment_method": "sandbox:ok", "shipping_address": address, "user_id": shopper});
    let order = json!({"quantity": 2, "payment_method": "sandbox:ok", "shipping_address": address, "more": [1]});
    // Not what the order costs: no payment starts.
    let payment = json!({"order_id": id, "payment_method": "sandbox:ok", "amount": "1.00", "more": 1});
    let route = |route, given, product, body| Taken { route, given, product, body };
    vec![
        route("reserve", Given::Held, "", reserve.clone()),
        route("add-to-cart", Given::Held, "", reserve),
        route("checkout", Given::Held, "", checkout),
        route("place-order", Given::Held, "demo", order),
        route("pay", Given::Waiting, "", payment),
        // It has started: no shard is made.
        route("manage-sale", Given::Sale, "demo", sale),
        route("restock-sale", Given::Sale, "ended", json!({"units": 5})),
        // It is not completed: nothing is refunded.
        route(
            "refund-order",
            Given::Waiting,
            "",
            json!({"amount": {"amount_minor": 5, "currency": "USD"}, "return_unit": false}),
        ),
    ]
}

/// Values at the limits of every member of every body, and of other types.
fn probes() -> Vec<Value> {
    let numbers =
        [-1_i64, 0, 1, 2, 10, 11, 14, 15, 16, 3_600, 3_601, 7_200, 7_201, 86_400, 86_401, 4_000, 4_001, 400_000, 400_001];
    let large = [99_999_999_999_i64, 100_000_000_000, i64::MAX];
    let numbers = numbers.into_iter().chain(large).map(|number| json!(number));
    let others = [
        json!(null),
        json!(true),
        json!(1.0),
        json!(1.5),
        json!(1e3),
        json!([]),
        json!([1]),
        json!({}),
        json!({"fcfs": null}),
        json!(u64::MAX),
    ];
    let lengths = [19, 20, 21, 60, 61, 63, 64, 65, 100, 101, 128, 129, 200, 201, 255, 256, 257, 500, 501, 512, 513, 2_000, 2_001];
    let long = lengths.into_iter().flat_map(|length| {
        let prefixed = |prefix: &str| json!(format!("{prefix}{}", "x".repeat(length - prefix.len())));
        [prefixed(""), prefixed("https://"), prefixed("sandbox:"), json!("ü".repeat(length))]
    });
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a b",
        "ü",
        "a\u{1}",
        "\u{7f}",
        "\u{85}",
        "a\n",
        "\u{a0}",
        "0",
        "1",
        "01",
        "1.5",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1,0",
        "999.00",
        "USD",
        "usd",
        "USDT",
        "US",
        ":",
        "a:",
        ":a",
        "a:b",
        "a:b c",
        "a b:c",
        "sandbox:ok",
        "a:b:c",
        "http://example.com",
        "https://",
        "https://example.com/a b",
        "HTTPS://example.com",
        "fcfs",
        "draw",
        "demo.",
        "Demo",
        "demo.01M7Z4KHS4233X24KK9C8AC5JI",
        "demo.81M7Z4KHS4233X24KK9C8AC5JJ",
        "demo.01m7z4khs4233x24kk9c8ac5jj",
        "demo.01M7Z4KHS4233X24KK9C8AC5JJJ",
        "2026-11-01T12:01:01Z",
        "2026-11-01T12:00:00.123456789Z",
        "2026-11-01T12:00:00z",
        "2026-11-01T13:00:00+01:00",
        "2026-11-01 12:00:00Z",
        "2026-11-01T12:00:00",
        "2026-11-01",
        "2026-11-01T12:00Z",
        "2026-11-01T13:00:00+23:59",
        "2026-11-01T13:00:00+24:00",
        "2026-11-01T13:00:00-00:60",
        "20261101T120000Z",
        "2026-11-31T12:00:00Z",
        "2026-11-01T12:00:60Z",
        "2026-11-01T13:00:00+01:00[Europe/Berlin]",
    ];
    numbers.chain(others).chain(long).chain(texts.map(|text| json!(text))).collect()
}

/// Every JSON pointer to a member of `body`.
fn members(body: &Value, at: &str) -> Vec<String> {
    let members_of = |(name, value): (&String, &Value)| {
        let pointer = format!("{at}/{name}");
        let below = members(value, &pointer);
        std::iter::once(pointer).chain(below).collect::<Vec<_>>()
    };
    body.as_object().into_iter().flatten().flat_map(members_of).collect()
}

/// `body` with one member altered, left out or added, in every way.
fn altered(body: &Value) -> Vec<(String, Value)> {
    let mut all = vec![("as it is".to_owned(), body.clone())];
    for pointer in members(body, "") {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let member = body.pointer(&pointer).unwrap();
        let in_order = member.as_object().map(|members| json!(members.values().collect::<Vec<_>>()));
        for probe in probes().into_iter().chain(in_order) {
            let mut other = body.clone();
            *other.pointer_mut(&pointer).unwrap() = probe.clone();
            all.push((format!("{pointer} is {probe}"), other));
        }
        let mut without = body.clone();
        without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        all.push((format!("without {pointer}"), without));
        let mut with_more = body.clone();
        with_more.pointer_mut(parent).unwrap()["another"] = json!(1);
        all.push((format!("{parent}/another"), with_more));
    }
    all.extend(probes().into_iter().map(|probe| (format!("the body is {probe}"), probe)));
    all
}

/// What a schema of single members cannot say: relations between members, times that have passed, and how a whole number is written
/// (for a schema, `1.0` is one).
fn is_beyond_a_schema(body: &Value) -> bool {
    let time = |name: &str| body[name].as_str().and_then(|text| text.parse::<domain::Timestamp>().ok());
    let (starts, ends) = (time("starts_at"), time("ends_at"));
    let units_for_shards = |shards: u64| body["units"].as_u64().is_some_and(|units| units < shards || units > shards * 100);
    let most = domain::Money::MAX_MINOR / body["max_per_shopper"].as_i64().unwrap_or(1);
    let is_too_dear = body["price"]["amount_minor"].as_i64().is_some_and(|amount| amount > most);
    let is_over = ends.is_some_and(|ends| ends <= NOW.parse().unwrap());
    let is_inverted = starts.zip(ends).is_some_and(|(starts, ends)| starts >= ends);
    // Only some countries have no postal codes.
    let address = &body["shipping_address"];
    let has_no_postal_code = address.is_object() && address["postal_code"].is_null();
    // The sandbox knows its methods.
    let method = body["payment_method"].as_str().and_then(|text| text.parse().ok());
    let is_unknown_method = method.is_some_and(|method: domain::PaymentMethod| {
        method.as_str().starts_with(SandboxMethod::PREFIX) && SandboxMethod::of(&method).is_none()
    });
    let is_shortened = body["max_hold_seconds"].as_u64().is_some_and(|most| most < body["hold_seconds"].as_u64().unwrap_or(300));
    // Units go back with a whole refund only.
    let has_units_of_a_part = !body["amount"].is_null() && body["return_unit"] == true;
    is_over
        || has_units_of_a_part
        || is_inverted
        || is_too_dear
        || is_shortened
        || has_no_postal_code
        || is_unknown_method
        || has_fraction(body)
        || body["shards"].as_u64().is_some_and(units_for_shards)
}

/// Whether a whole number is written with a fraction, at any depth. An `amount` that is a decimal may have one.
fn has_fraction(json: &Value) -> bool {
    match json {
        Value::Number(number) => number.is_f64(),
        Value::Object(members) => {
            members.iter().any(|(name, value)| (name != "amount" || value.is_object()) && has_fraction(value))
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => false,
    }
}

/// Why a function has not taken a body.
const UNREADABLE: [&str; 4] = ["malformed-request", "invalid-request", "body-too-large", "unsupported-media-type"];
/// The answers to a value that no description allows, and to one that is allowed and leads to nothing.
const EITHER: [&str; 3] = ["unknown-reservation", "unknown-order", "quantity-not-allowed"];

/// Answers of a function to bodies of its route: the code of each refusal.
struct Asked {
    shop: Shop,
    function: Function,
    route: Route,
    product: &'static str,
}

impl Asked {
    async fn new(taken: Taken) -> Self {
        let shop = Shop::empty().await;
        shop.give(taken.given).await;
        let route = routes().into_iter().find(|route| route.name == taken.route).expect("a route");
        let wire = [shoppers::FUNCTIONS, operators::FUNCTIONS].into_iter().find_map(|group| parts::find(group, route.function));
        let function = wire.expect("a function")(&mut shop.parts(&Calls::new())).expect("the shop has all variables");
        Self { shop, function, route, product: taken.product }
    }

    async fn code(&self, body: &Value) -> Option<String> {
        let Function::Http(function) = &self.function else { panic!("{} is not of the API", self.route.name) };
        let request = test_aws::request(self.route.method.as_str(), self.route.path).json(body).header("Idempotency-Key", "k-1");
        let request = request.shopper(Buyer::first().shopper.as_str());
        let request = if self.route.group == Group::Operators { request.group(contract::OPERATORS) } else { request };
        let order = Buyer::first().id.to_string();
        let request = request.path_parameter("product_id", self.product).path_parameter("order_id", &order);
        let response = function(request.build()).await;
        test_shop::body(&response)["code"].as_str().map(str::to_owned)
    }
}

/// The description of a route's body.
fn described(route: &str) -> Validator {
    let routes = routes();
    let body =
        routes.iter().find(|known| known.name == route).and_then(|route| route.body.as_ref()).expect("a route with a body");
    let whole = json!({"allOf": [body.schema.schema], "components": openapi(&routes)["components"]});
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).expect("a JSON schema")
}

/// The request models of API Gateway, by route.
fn models() -> BTreeMap<&'static str, Value> {
    routes().iter().filter_map(|route| Some((route.name, gateway_model(route)?.1))).collect()
}

/// What description, function and request model do not agree on.
async fn disagreements(all: Vec<Taken>, models: &BTreeMap<&'static str, Value>) -> Faults {
    let (mut faults, mut agreed) = (Faults::new(), [0, 0]);
    for taken in all {
        let (route, bodies, description) = (taken.route, altered(&taken.body), described(taken.route));
        let model = models.get(route).map(|model| jsonschema::draft4::new(model).expect("a JSON schema"));
        let asked = Asked::new(taken).await;
        for (case, body) in bodies {
            let (code, is_described) = (asked.code(&body).await, description.is_valid(&body));
            let code = code.as_deref().unwrap_or("taken");
            let is_taken = if EITHER.contains(&code) { is_described } else { !UNREADABLE.contains(&code) };
            match (is_taken, is_described) {
                (true, true) => agreed[0] += 1,
                (false, false) => agreed[1] += 1,
                (false, true) if is_beyond_a_schema(&body) => {}
                (false, true) => faults.push(format!("{route}: {case}: described, and refused as {code}")),
                (true, false) => faults.push(format!("{route}: {case}: not described, and answered with {code}")),
            }
            if model.as_ref().is_some_and(|model| !model.is_valid(&body)) && code != "malformed-request" {
                faults.push(format!("{route}: {case}: API Gateway refuses what the function answers with {code}"));
            }
        }
        drop(asked.shop);
    }
    assert!(agreed.iter().all(|count| *count > 20), "{agreed:?}: hardly anything was taken, or refused");
    faults
}

#[tokio::test]
async fn a_function_takes_a_body_exactly_when_it_is_described_and_the_gateway_lets_it_through() {
    none(&disagreements(taken(), &models()).await);
}

/// Every JSON pointer to an object in `body`, and that to the whole.
fn objects(body: &Value) -> Vec<String> {
    let within = members(body, "").into_iter().filter(|pointer| body.pointer(pointer).is_some_and(Value::is_object));
    std::iter::once(String::new()).chain(within).collect()
}

#[tokio::test]
async fn an_unknown_member_is_refused_to_operators_and_ignored_from_shoppers_at_every_depth() {
    let mut depths = [0, 0];
    for taken in taken() {
        let body = taken.body.clone();
        let asked = Asked::new(taken).await;
        let known = asked.code(&body).await;
        for object in objects(&body) {
            for value in [json!(1), json!(null), json!({"deep": [1]})] {
                let mut other = body.clone();
                other.pointer_mut(&object).unwrap()["unheard-of"] = value.clone();
                let is_operators = asked.route.group == contract::Group::Operators;
                let expected = if is_operators { Some("malformed-request".to_owned()) } else { known.clone() };
                assert_eq!(asked.code(&other).await, expected, "{}: {object}/unheard-of is {value}", asked.route.name);
                depths[usize::from(is_operators)] += usize::from(!object.is_empty());
            }
        }
    }
    assert!(depths.iter().all(|count| *count > 0), "{depths:?}: no body has an object within");
}

#[tokio::test]
async fn a_card_number_is_refused_at_every_place_of_every_body_except_in_a_phone() {
    let card = "4242 4242 4242 4242";
    let mut phones = 0;
    for taken in taken() {
        let body = taken.body.clone();
        let asked = Asked::new(taken).await;
        for pointer in members(&body, "") {
            let mut other = body.clone();
            *other.pointer_mut(&pointer).unwrap() = json!(card);
            let (is_phone, code) = (pointer.ends_with("/phone"), asked.code(&other).await);
            assert_eq!(code.as_deref() == Some("card-data"), !is_phone, "{}: {pointer}: {code:?}", asked.route.name);
            assert!(!is_phone || code.as_deref() != Some("malformed-request"), "{}: a phone is refused", asked.route.name);
            phones += usize::from(is_phone);
        }
        for object in objects(&body) {
            for (name, value) in [("unheard-of", json!(card)), ("unheard-of", json!([{"deep": card}])), (card, json!(1))] {
                let mut other = body.clone();
                other.pointer_mut(&object).unwrap()[name] = value;
                let code = asked.code(&other).await;
                assert_eq!(code.as_deref(), Some("card-data"), "{}: {object}/{name}", asked.route.name);
            }
        }
    }
    assert!(phones > 0, "no body has a phone");
}

#[tokio::test]
async fn a_model_that_is_narrower_than_the_function_is_noticed() {
    let mut models = models();
    models.get_mut("reserve").expect("a model")["required"] = json!(["product_id", "quantity"]);
    let faults = disagreements(taken().into_iter().filter(|taken| taken.route == "reserve").collect(), &models).await;
    assert!(faults.iter().any(|fault| fault.contains("without /quantity: API Gateway refuses")), "{faults:#?}");
}

#[test]
fn every_route_with_a_body_is_compared() {
    let compared: Vec<&str> = taken().iter().map(|taken| taken.route).collect();
    for route in routes().iter().filter(|route| route.body.is_some()) {
        assert!(compared.contains(&route.name), "{}", route.name);
    }
}
