//! Which bodies are accepted, and what a refusal says about the others.

use lambda_http::Body;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Checkout {
    cart_id: String,
    #[serde(default)]
    quantity: Option<u8>,
    #[serde(default)]
    shipping_address: Option<Address>,
    #[serde(default)]
    lines: Vec<u32>,
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default)]
    product: Option<domain::ProductId>,
    #[serde(default)]
    within: Option<Outer>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Outer {
    within: Inner,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Inner {
    within: u8,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Address {
    city: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Amount {
    Text(String),
    Number(u64),
}

fn request(body: impl Into<String>) -> Request {
    test_aws::request("POST", "/checkout").header("content-type", "application/json").body(body.into()).build()
}

fn refusal(request: &Request) -> (u16, Value) {
    let response = json_body::<Checkout>(request).unwrap_err().into_response();
    (response.status().as_u16(), serde_json::from_slice(response.body().as_ref()).unwrap())
}

#[track_caller]
fn check_fault(body: &str, pointer: &str, detail: &str) {
    let (status, problem) = refusal(&request(body));
    assert_eq!(status, 400, "{body}");
    assert_eq!(problem["code"], "malformed-request");
    assert_eq!((problem["pointer"].as_str().unwrap(), problem["detail"].as_str().unwrap()), (pointer, detail), "{body}");
}

#[test]
fn a_body_is_read() {
    let checkout: Checkout = json_body(&request(r#"{"cart_id": "demo.1", "amount": 3}"#)).unwrap();
    assert_eq!((checkout.cart_id.as_str(), checkout.amount), ("demo.1", Some(Amount::Number(3))));
}

#[test]
fn the_fault_is_pointed_at_without_naming_a_rust_type() {
    check_fault(r#"{"cart_id": 7}"#, "/cart_id", "invalid type: integer `7`, expected a string");
    check_fault("{}", "/cart_id", "missing field `cart_id`");
    check_fault(r#"{"cart_id": "a", "shipping_address": {}}"#, "/shipping_address/city", "missing field `city`");
    check_fault(r#"{"cart_id": "a", "within": {"within": {}}}"#, "/within/within/within", "missing field `within`");
    check_fault(
        r#"{"cart_id": "a", "shipping_address": "x"}"#,
        "/shipping_address",
        "invalid type: string \"x\", expected an object",
    );
    check_fault(
        r#"{"cart_id": "a", "lines": [1, 2, -3]}"#,
        "/lines/2",
        "invalid value: integer `-3`, expected a whole number from zero",
    );
    check_fault(r#"{"cart_id": "a", "lines": 1}"#, "/lines", "invalid type: integer `1`, expected an array");
    check_fault(
        r#"{"cart_id": "a", "quantity": 256}"#,
        "/quantity",
        "invalid value: integer `256`, expected a whole number from zero",
    );
    check_fault(
        r#"{"cart_id": "a", "quantity": 1.5}"#,
        "/quantity",
        "invalid type: floating point `1.5`, expected a whole number from zero",
    );
    check_fault(r#"{"cart_id": "a", "cart_id": "b"}"#, "/cart_id", "duplicate field `cart_id`");
    check_fault(
        r#"{"cart_id": "a", "a/b~c": 1}"#,
        "/a~1b~0c",
        "unknown field `a/b~c`, expected one of `cart_id`, `quantity`, `shipping_address`, `lines`, `amount`, `product`, `within`",
    );
    check_fault(r#"{"cart_id": "a", "amount": []}"#, "/amount", "the value has none of the forms that are expected here");
    check_fault(
        r#"{"cart_id": "a", "product": "No Such"}"#,
        "/product",
        "a product id is 1 to 64 characters of a-z, 0-9, '-' and '_'",
    );
    check_fault(r#"["demo.1"]"#, "", "invalid type: sequence, expected an object");
    check_fault("7", "", "invalid type: integer `7`, expected an object");
    check_fault("[]", "", "invalid type: sequence, expected an object");
}

#[test]
fn what_is_not_json_is_told_where() {
    check_fault(r#"{"cart_id": "a""#, "", "not JSON: line 1, column 15");
    check_fault(r#"{"cart_id": "a"} {}"#, "", "not JSON: line 1, column 18");
    check_fault("{cart_id: 1}", "", "not JSON: line 1, column 2");
}

#[test]
fn a_long_value_is_not_echoed_in_full() {
    let body = json!({"cart_id": "a", "shipping_address": "x".repeat(5_000)}).to_string();
    let (_, problem) = refusal(&request(body));
    assert_eq!(problem["detail"].as_str().unwrap().chars().count(), 200);
}

#[test]
fn nesting_without_end_is_refused() {
    let (status, problem) = refusal(&request("[".repeat(10_000)));
    assert_eq!((status, problem["code"].as_str().unwrap()), (400, "malformed-request"));
    let deep = format!(r#"{{"cart_id": {}}}"#, "[".repeat(8_000));
    assert_eq!(refusal(&request(deep)).0, 400);
}

#[test]
fn sixteen_kibibytes_are_read_and_one_byte_more_is_not() {
    let filler = LARGEST_BODY_BYTES - r#"{"cart_id": ""}"#.len();
    let largest = format!(r#"{{"cart_id": "{}"}}"#, "x".repeat(filler));
    assert!(json_body::<Checkout>(&request(largest.clone())).is_ok());
    assert_eq!(refusal(&request(format!("{largest} "))).0, 413);
    assert_eq!(refusal(&request("x".repeat(1024 * 1024))).0, 413);
}

#[test]
fn a_body_must_be_declared_as_json() {
    let with = |declared: &str| {
        test_aws::request("POST", "/checkout").header("content-type", declared).body(r#"{"cart_id": "a"}"#).build()
    };
    for accepted in ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"] {
        assert!(json_body::<Checkout>(&with(accepted)).is_ok(), "{accepted}");
    }
    for refused in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/html, application/json"] {
        assert_eq!(refusal(&with(refused)).0, 415, "{refused}");
    }
    let undeclared = test_aws::request("POST", "/checkout").body(r#"{"cart_id": "a"}"#).build();
    assert_eq!(refusal(&undeclared).0, 415);
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    let mut request = request("");
    *request.body_mut() = Body::Binary(b"{\"cart_id\": \"\xff\"}".to_vec());
    let (status, problem) = refusal(&request);
    assert_eq!((status, problem["detail"].as_str().unwrap()), (400, "the body is not UTF-8"));
}

#[test]
fn no_body_is_nothing_where_it_may_be_missing_and_a_fault_where_not() {
    for empty in [Body::Empty, Body::Text(String::new()), Body::Text(" \n".to_owned())] {
        let mut request = test_aws::request("POST", "/api/flash-sales/demo/order").build();
        *request.body_mut() = empty;
        assert_eq!(optional_json_body::<Checkout>(&request).unwrap(), None);
        let (status, problem) = refusal(&request);
        assert_eq!((status, problem["detail"].as_str().unwrap()), (400, "a JSON body is expected"));
    }
}
