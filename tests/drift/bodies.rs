//! The bodies that `docs/openapi.json` describes are the bodies that the functions take: both ways, at every limit.

use contract::{
    CheckoutRequest, PaymentRequest, PlaceOrderRequest, ReserveRequest, RestockRequest, SaleRequest, openapi, routes, wanted,
};
use jsonschema::Validator;
use kit::{Problem, Request, http};
use serde_json::{Value, json};
use test_shop::NOW;

/// How a function reads a body, up to what it would have to ask a table.
type Read = fn(&Request) -> Result<(), Problem>;

/// A route with a body that its function takes.
struct Taken {
    route: &'static str,
    body: Value,
    read: Read,
}

fn taken() -> Vec<Taken> {
    let address =
        json!({"address_line1": "1 Market Street", "city": "Springfield", "postal_code": "49007", "country": "US", "more": 1});
    let id = "demo.01M7Z4KHS4233X24KK9C8AC5JJ";
    let reserve: Read = |request| {
        let body: ReserveRequest = http::json_body(request)?;
        some(wanted(body.quantity)?)
    };
    let mut all = vec![
        Taken {
            route: "reserve",
            body: json!({"product_id": "demo", "quantity": 2, "user_id": "ann", "more": 1}),
            read: reserve,
        },
        Taken {
            route: "checkout",
            body: json!({"cart_id": id, "payment_method": "sandbox:ok", "shipping_address": address, "user_id": "ann"}),
            read: |request| {
                let body: CheckoutRequest = http::json_body(request)?;
                some(body.cart_id.parse::<domain::ReservationId>().ok())?;
                body.details().map(|_| ())
            },
        },
        Taken {
            route: "place-order",
            body: json!({"quantity": 2, "payment_method": "sandbox:ok", "shipping_address": address, "more": 1}),
            read: |request| {
                let body: PlaceOrderRequest = http::json_body(request)?;
                some(wanted(body.quantity)?)?;
                body.details().map(|_| ())
            },
        },
        Taken {
            route: "pay",
            body: json!({"order_id": id, "payment_method": "sandbox:ok", "amount": "999.00", "more": 1}),
            read: |request| {
                let body: PaymentRequest = http::json_body(request)?;
                let amount = body.amount(request)?;
                some(body.order_id.parse::<domain::OrderId>().ok())?;
                some(amount.is(test_shop::price()).ok())?;
                body.payment_method().map(|_| ())
            },
        },
        Taken {
            route: "restock-sale",
            body: json!({"units": 5}),
            read: |request| http::json_body::<RestockRequest>(request)?.units().map(|_| ()),
        },
        Taken {
            route: "manage-sale",
            body: json!({
                "name": "Phone", "description": "A phone.", "image_url": "https://example.com/phone.png",
                "price": {"amount_minor": 99_900, "currency": "USD"}, "units": 100, "starts_at": "2026-11-01T12:00:00Z",
                "ends_at": "2026-11-02T12:00:00Z", "hold_seconds": 300, "max_per_shopper": 2, "admission": {"mode": "fcfs"},
                "shards": 4,
            }),
            read: |request| http::json_body::<SaleRequest>(request)?.draft(NOW.parse().unwrap()).map(|_| ()),
        },
    ];
    all.push(Taken { route: "add-to-cart", body: all[0].body.clone(), read: reserve });
    all
}

/// What the function refuses later, under another code than that of a body that cannot be read.
fn some<T>(value: Option<T>) -> Result<(), Problem> {
    value.map(|_| ()).ok_or_else(Problem::not_found)
}

/// Values at the limits of every member of every body, and of other types.
fn probes() -> Vec<Value> {
    let numbers = [-1_i64, 0, 1, 2, 10, 11, 14, 15, 16, 3_600, 3_601, 86_400, 86_401, 40_000, 40_001, 1_000_000, 1_000_001];
    let large = [99_999_999_999_i64, 100_000_000_000, i64::MAX];
    let numbers = numbers.into_iter().chain(large).map(|number| json!(number));
    let others =
        [json!(null), json!(true), json!(1.0), json!(1.5), json!(1e3), json!([]), json!([1]), json!({}), json!(u64::MAX)];
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
        for probe in probes() {
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
    is_over || is_inverted || is_too_dear || has_fraction(body) || body["shards"].as_u64().is_some_and(units_for_shards)
}

/// Whether there is a number with a fraction or an exponent, at any depth.
fn has_fraction(json: &Value) -> bool {
    match json {
        Value::Number(number) => number.is_f64(),
        Value::Object(members) => members.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => false,
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

#[test]
fn a_body_is_taken_exactly_when_it_is_described() {
    let (mut faults, mut compared, mut agreed) = (Vec::new(), 0, [0, 0]);
    for Taken { route, body, read } in taken() {
        let description = described(route);
        for (case, body) in altered(&body) {
            let refused = read(&test_aws::request("POST", "/").json(&body).build()).err();
            compared += 1;
            match (refused, description.is_valid(&body)) {
                (None, true) => agreed[0] += 1,
                (Some(_), false) => agreed[1] += 1,
                (Some(_), true) if is_beyond_a_schema(&body) => {}
                (Some(problem), true) => faults.push(format!("{route}: {case}: described, and refused as {}", problem.code())),
                (None, false) => faults.push(format!("{route}: {case}: taken, and not described")),
            }
        }
    }
    assert!(faults.is_empty(), "{} of {compared} bodies:\n{}", faults.len(), faults.join("\n"));
    assert!(agreed.iter().all(|count| *count > 200), "{agreed:?}: hardly anything was taken, or refused");
}

#[test]
fn every_route_with_a_body_is_compared() {
    let compared: Vec<&str> = taken().iter().map(|taken| taken.route).collect();
    for route in routes().iter().filter(|route| route.body.is_some()) {
        assert!(compared.contains(&route.name), "{}", route.name);
    }
}
