//! Bodies of requests, read as the functions read them: limits of size and depth, card numbers, and the checks of the contract.

use contract::{
    CheckoutRequest, OrderRefundRequest, PaymentRequest, PlaceOrderRequest, ReserveRequest, RestockRequest, SaleRequest,
};
use domain::{Currency, Money, PaymentMethod, Quantity, SaleDraft, ShopperId, has_card_number};
use kit::{Problem, Request, http};
use lambda_http::Body;
use serde::de::DeserializeOwned;
use serde_json::Value;
use test_cases::Event;

/// The largest body that is read, in bytes.
const MOST_BYTES: usize = 16 * 1024;
/// An answer to a body that is refused is no longer than this, and the pointer to the fault, which has names of the body's
/// members.
const LONGEST_REFUSAL_BYTES: usize = 2 * 1024;

fn request(body: &[u8]) -> Request {
    let mut request = Request::new(Body::Binary(body.to_vec()));
    request.headers_mut().insert("content-type", lambda_http::http::HeaderValue::from_static("application/json"));
    request
}

/// The body as a `T`, and as plain JSON. `None`: it is refused in the contract's words, or cannot be compared.
fn read<T: DeserializeOwned>(body: &[u8]) -> Option<(T, Value)> {
    let read = http::json_body(&request(body)).map_err(|problem| {
        let codes = ["malformed-request", "card-data", "body-too-large"];
        refused(problem, &codes);
    });
    let read = read.ok()?;
    assert!(body.len() <= MOST_BYTES, "a body of {} bytes is read", body.len());
    // A member that nobody reads may be nested more deeply than `serde_json` reads. Then there is nothing to compare with.
    Some((read, serde_json::from_slice(body).ok()?))
}

/// Checks a refusal: one of these codes, a client's fault, and short.
fn refused(problem: Problem, codes: &[&str]) {
    let (status, code) = (problem.status(), problem.code());
    assert!(codes.contains(&code), "{code} is no refusal of a body");
    assert!((400..500).contains(&status), "{code} has the status {status}");
    let response = problem.into_response();
    let body: &[u8] = response.body().as_ref();
    let bytes = body.len();
    let body: Value = serde_json::from_slice(body).expect("a problem is JSON");
    let pointer = body["pointer"].to_string().len();
    assert!(bytes <= LONGEST_REFUSAL_BYTES + pointer && pointer <= 2 * MOST_BYTES, "a refusal of {bytes} bytes");
    assert!(body["code"] == code && body["status"] == status, "{body}");
}

/// Whether a part of a body is taken.
fn taken<T>(result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| refused(problem, &["malformed-request", "invalid-request"])).ok()
}

/// A quantity is what the body says, within the limits of any sale; one if the body says nothing.
fn is_quantity(quantity: Option<Quantity>, json: &Value) -> bool {
    let said = json["quantity"].as_i64().unwrap_or(1);
    match quantity {
        Some(quantity) => {
            assert_eq!(i64::from(quantity.units()), said);
            assert!((1..=10).contains(&said), "{said} units");
        }
        None => assert!(said > 10, "{said} units are more than any sale allows"),
    }
    true
}

/// No card number of a body is read, except as a telephone number.
fn has_no_card_number(json: &Value) {
    match json {
        Value::String(text) => assert!(!has_card_number(text), "{text} is read"),
        Value::Array(items) => items.iter().for_each(has_no_card_number),
        Value::Object(members) => {
            members.iter().filter(|(name, _)| *name != "phone").for_each(|(_, value)| has_no_card_number(value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(crate) fn reserve(body: &[u8]) -> bool {
    let Some((read, json)) = read::<ReserveRequest>(body) else { return false };
    has_no_card_number(&json);
    assert_eq!(json["product_id"], read.product_id.as_str());
    assert_eq!(json["user_id"].as_str(), read.user_id.as_ref().map(ShopperId::as_str));
    taken(read.quantity()).is_some_and(|quantity| is_quantity(quantity, &json))
}

pub(crate) fn checkout(body: &[u8]) -> bool {
    let Some((read, json)) = read::<CheckoutRequest>(body) else { return false };
    has_no_card_number(&json);
    assert_eq!(json["cart_id"], read.cart_id.as_str());
    let Some(details) = taken(read.details()) else { return false };
    assert_eq!(json["payment_method"], details.payment_method.as_str());
    let address = details.shipping_address.expect("a checkout has an address");
    assert!(address.check().is_ok(), "{address:?}");
    assert_eq!(json["shipping_address"]["city"], address.city);
    true
}

pub(crate) fn place_order(body: &[u8]) -> bool {
    // The body is optional: without one, the order waits for its payment.
    let read = http::optional_json_body::<PlaceOrderRequest>(&request(body));
    let Some(read) = read.map_err(|problem| refused(problem, &["malformed-request", "card-data", "body-too-large"])).ok() else {
        return false;
    };
    let Some(read) = read else {
        assert!(body.trim_ascii().is_empty(), "a body is not read");
        return true;
    };
    let Ok(json) = serde_json::from_slice(body) else { return true };
    has_no_card_number(&json);
    let quantity = taken(read.quantity()).is_some_and(|quantity| is_quantity(quantity, &json));
    let Some((method, address)) = taken(read.details()) else { return false };
    assert_eq!(json["payment_method"].as_str(), method.as_ref().map(PaymentMethod::as_str));
    assert!(address.is_none_or(|address| address.check().is_ok()));
    quantity
}

pub(crate) fn payment(body: &[u8]) -> bool {
    let Some((read, json)) = read::<PaymentRequest>(body) else { return false };
    has_no_card_number(&json);
    assert_eq!(json["order_id"], read.order_id.as_str());
    let (amount, method) = (taken(read.amount(&request(body))), taken(read.payment_method()));
    let Some((amount, method)) = amount.zip(method) else { return false };
    assert_eq!(json["payment_method"], method.as_str());
    // The amount names one amount of a currency at most.
    for code in ["USD", "JPY", "BHD"] {
        let currency: Currency = code.parse().unwrap();
        let fits = |minor: &i64| Money::new(*minor, currency).is_ok_and(|money| amount.is(money));
        assert!([1, 99_900, 999, 100_000, 10, 5, Money::MAX_MINOR].iter().filter(|minor| fits(minor)).count() <= 1);
    }
    true
}

pub(crate) fn sale(body: &[u8]) -> bool {
    let Some((read, json)) = read::<SaleRequest>(body) else { return false };
    has_no_card_number(&json);
    let Some(draft) = taken(read.draft()) else { return false };
    assert!(draft.check().is_ok() && draft.starts_at < draft.ends_at, "{draft:?}");
    assert_eq!((&json["units"], &json["name"]), (&draft.units.into(), &draft.name.as_str().into()));
    assert!((1..=SaleDraft::MOST_UNITS).contains(&draft.units) && draft.max_hold_seconds >= draft.hold_seconds);
    let layout = draft.layout();
    assert!(layout.shards() > 0 && layout.shards() <= SaleDraft::MOST_SHARDS, "{layout:?}");
    true
}

pub(crate) fn restock(body: &[u8]) -> bool {
    let Some((read, json)) = read::<RestockRequest>(body) else { return false };
    let Some(units) = taken(read.units()) else { return false };
    assert!((1..=SaleDraft::MOST_UNITS).contains(&units) && json["units"] == units, "{units} units");
    true
}

pub(crate) fn refund(body: &[u8]) -> bool {
    let Some((read, json)) = read::<OrderRefundRequest>(body) else { return false };
    let key = "one".parse().unwrap();
    let Some(asked) = taken(read.request(key)) else { return false };
    assert!(asked.amount.is_none() || !asked.return_unit, "units of a part go back");
    assert_eq!(json["amount"].is_object(), asked.amount.is_some(), "a part is not all");
    assert_eq!(json["amount"]["amount_minor"].as_i64(), asked.amount.map(Money::amount_minor));
    true
}

/// The bodies of a function's sample events.
fn of(function: &str) -> Vec<Vec<u8>> {
    let cases = test_cases::cases().into_iter().filter(|case| case.function == function);
    let events = cases.filter(|case| matches!(case.event, Event::Http(_))).map(|case| case.json());
    events.filter(|event| event["isBase64Encoded"] == false).filter_map(|event| Some(event["body"].as_str()?.into())).collect()
}

pub(crate) fn reserve_seeds() -> Vec<Vec<u8>> {
    of("reserve")
}

pub(crate) fn checkout_seeds() -> Vec<Vec<u8>> {
    of("checkout")
}

pub(crate) fn place_order_seeds() -> Vec<Vec<u8>> {
    of("place-order")
}

pub(crate) fn payment_seeds() -> Vec<Vec<u8>> {
    of("pay")
}

pub(crate) fn sale_seeds() -> Vec<Vec<u8>> {
    of("manage-sale")
}

pub(crate) fn restock_seeds() -> Vec<Vec<u8>> {
    of("restock-sale")
}

pub(crate) fn refund_seeds() -> Vec<Vec<u8>> {
    of("refund-order")
}
