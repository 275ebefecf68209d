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
    #[serde(default)]
    speed: Option<Speed>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Speed {
    Slow,
    Fast,
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
fn the_fault_is_pointed_at_in_the_words_of_json() {
    let with = |member: &str, value: &str| format!(r#"{{"cart_id": "a", "{member}": {value}}}"#);
    check_fault("{}", "/cart_id", "the member `cart_id` is missing");
    check_fault(r#"{"cart_id": "a", "cart_id": "b"}"#, "/cart_id", "the member `cart_id` is there twice");
    check_fault(r#"{"cart_id": 7}"#, "/cart_id", "expected a string, found a number");
    check_fault(r#"{"cart_id": null}"#, "/cart_id", "expected a string, found null");
    check_fault(r#"{"cart_id": true}"#, "/cart_id", "expected a string, found a boolean");
    check_fault(r#"{"cart_id": []}"#, "/cart_id", "expected a string, found an array");
    check_fault(r#"{"cart_id": {}}"#, "/cart_id", "expected a string, found an object");
    check_fault(&with("shipping_address", "{}"), "/shipping_address/city", "the member `city` is missing");
    check_fault(&with("within", r#"{"within": {}}"#), "/within/within/within", "the member `within` is missing");
    check_fault(&with("shipping_address", r#""x""#), "/shipping_address", "expected an object, found a string");
    check_fault(&with("lines", "[1, 2, -3]"), "/lines/2", "expected a whole number from 0 to 4294967295, found another number");
    check_fault(&with("lines", "1"), "/lines", "expected an array, found a number");
    check_fault(&with("quantity", "256"), "/quantity", "expected a whole number from 0 to 255, found another number");
    check_fault(&with("quantity", "1.5"), "/quantity", "expected a whole number from 0 to 255, found another number");
    check_fault(&with("quantity", "1.0"), "/quantity", "expected a whole number from 0 to 255, found another number");
    check_fault(&with("quantity", "-0"), "/quantity", "expected a whole number from 0 to 255, found another number");
    check_fault(&with("quantity", "1e2"), "/quantity", "expected a whole number from 0 to 255, found another number");
    check_fault(
        &with("a/b~c", "1"),
        "/a~1b~0c",
        "no member is called `a/b~c`; expected `cart_id`, `quantity`, `shipping_address`, `lines`, `amount`, `product`, `within`, \
         `speed`",
    );
    check_fault(&with("speed", r#""quick""#), "/speed", "expected `slow` or `fast`");
    check_fault(&with("amount", "[]"), "/amount", "the value has none of the forms that are expected here");
    check_fault(&with("product", r#""No Such""#), "/product", "a product id is 1 to 64 characters of a-z, 0-9, '-' and '_'");
    check_fault(r#"["demo.1"]"#, "", "expected an object, found an array");
    check_fault("7", "", "expected an object, found a number");
    check_fault("null", "", "expected an object, found null");
    check_fault(r#""x""#, "", "expected an object, found a string");
    check_fault("[]", "", "expected an object, found an array");
}

/// RFC 8259: what is not JSON, and what is but need not be taken.
#[test]
fn what_is_not_json_is_told_where() {
    for (body, detail) in [
        (r#"{"cart_id": "a""#, "not JSON: line 1, column 15"),
        (r#"{"cart_id": "a"} {}"#, "not JSON: line 1, column 18"),
        ("{cart_id: 1}", "not JSON: line 1, column 2"),
        ("{'cart_id': 1}", "not JSON: line 1, column 2"),
        (r#"{"cart_id": "a",}"#, "not JSON: line 1, column 17"),
        ("{\n\"cart_id\": a}", "not JSON: line 2, column 12"),
        ("{/**/}", "not JSON: line 1, column 2"),
        ("cart_id=a", "not JSON: line 1, column 1"),
        ("<cart_id/>", "not JSON: line 1, column 1"),
        ("{\"cart_id\": \"a\tb\"}", "not JSON: line 1, column 15"),
        ("{\"cart_id\": \"a\u{0}b\"}", "not JSON: line 1, column 15"),
        (r#"{"cart_id": "\x61"}"#, "not JSON: line 1, column 15"),
        (r#"{"quantity": 01}"#, "not JSON: line 1, column 15"),
        (r#"{"quantity": +1}"#, "not JSON: line 1, column 14"),
        (r#"{"quantity": .5}"#, "not JSON: line 1, column 14"),
        (r#"{"quantity": 1.}"#, "not JSON: line 1, column 16"),
        (r#"{"quantity": NaN}"#, "not JSON: line 1, column 14"),
        (r#"{"quantity": Infinity}"#, "not JSON: line 1, column 14"),
        (r#"{"quantity": 0x1}"#, "not JSON: line 1, column 15"),
        (r#"{"quantity": True}"#, "not JSON: line 1, column 14"),
    ] {
        let (status, problem) = refusal(&request(body));
        assert_eq!((status, problem["code"].as_str().unwrap()), (400, "malformed-request"), "{body}");
        assert_eq!(problem["detail"], detail, "{body}");
    }
}

#[test]
fn json_that_need_not_be_taken_is_called_json() {
    for (body, detail) in [
        (r#"{"quantity": 1e999}"#, "a number is too large: line 1, column 18"),
        (r#"{"cart_id": "\ud800"}"#, "an escape is only half of a character: line 1, column 20"),
        (r#"{"cart_id": "\udc00\ud800"}"#, "an escape is only half of a character: line 1, column 19"),
        ("\u{feff}{\"cart_id\": \"a\"}", "the body begins with a byte order mark; JSON has none"),
    ] {
        let (status, problem) = refusal(&request(body));
        assert_eq!((status, problem["detail"].as_str().unwrap()), (400, detail), "{body}");
    }
    let deep = format!(r#"{{"cart_id": {}}}"#, "[".repeat(8_000));
    assert!(refusal(&request(deep)).1["detail"].as_str().unwrap().starts_with("expected a string"));
}

#[test]
fn every_way_to_write_a_text_in_json_is_read() {
    for (body, cart_id) in [
        (r#" {"cart_id" : "a"} "#, "a"),
        ("\t{\r\n\"cart_id\"\n:\n\"a\"}\n", "a"),
        (r#"{"cart_id": "\u0061"}"#, "a"),
        (r#"{"c\u0061rt_id": "a"}"#, "a"),
        (r#"{"cart_id": "\ud83d\ude00"}"#, "😀"),
        (r#"{"cart_id": "😀"}"#, "😀"),
        (r#"{"cart_id": "\"\\\/"}"#, "\"\\/"),
        (r#"{"cart_id": "e\u0301"}"#, "e\u{301}"),
        (r#"{"cart_id": "", "quantity": null}"#, ""),
    ] {
        assert_eq!(json_body::<Checkout>(&request(body)).unwrap().cart_id, cart_id, "{body}");
    }
}

#[test]
fn no_value_is_repeated_in_the_answer() {
    let with = |member: &str, value: &str| format!(r#"{{"cart_id": "a", "{member}": {value}}}"#);
    for body in [
        r#"{"cart_id": 73737373}"#.to_owned(),
        r#"{"cart_id": 7373.7373}"#.to_owned(),
        with("quantity", "73737373"),
        with("quantity", r#""73737373""#),
        with("quantity", r#"["73737373"]"#),
        with("shipping_address", r#""73737373""#),
        with("lines", r#"[1, "73737373"]"#),
        with("amount", r#"["73737373"]"#),
        with("product", r#""NOT 73737373""#),
        with("more", r#""73737373""#),
        with("speed", r#""73737373""#),
        with("speed", r#"{"73737373": 1}"#),
        with("quantity", "73737373 x"),
        "73737373".to_owned(),
        r#""73737373""#.to_owned(),
        "[73737373]".to_owned(),
        "cart_id=73737373".to_owned(),
    ] {
        let (status, problem) = refusal(&request(body.clone()));
        assert_eq!(status, 400, "{body}");
        assert!(!problem.to_string().contains("7373"), "{body}: {problem}");
    }
}

#[test]
fn a_long_name_is_not_echoed_in_full() {
    let body = json!({"cart_id": "a", ("x".repeat(5_000)): 1}).to_string();
    let (_, problem) = refusal(&request(body));
    assert_eq!(problem["detail"].as_str().unwrap().chars().count(), 400);
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

/// RFC 9110, sections 8.3 and 8.4.
#[test]
fn a_body_must_be_declared_as_json_in_utf_8() {
    let with = |headers: &[(&str, &str)]| {
        let request = test_aws::request("POST", "/checkout").body(r#"{"cart_id": "a"}"#);
        let mut request = request.build();
        for (name, value) in headers {
            let name: lambda_http::http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, lambda_http::http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        request
    };
    let json = ("content-type", "application/json");
    for accepted in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "Application/JSON ;charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/json; charset=us-ascii",
        "application/json; version=1",
        "application/json;",
    ] {
        assert!(json_body::<Checkout>(&with(&[("content-type", accepted)])).is_ok(), "{accepted}");
    }
    assert!(json_body::<Checkout>(&with(&[json, json])).is_ok());
    assert!(json_body::<Checkout>(&with(&[json, ("content-encoding", "identity")])).is_ok());
    assert!(json_body::<Checkout>(&with(&[json, ("content-encoding", "")])).is_ok());
    let declare = "send Content-Type: application/json";
    for (headers, detail) in [
        (&[][..], declare),
        (&[("content-type", "")], declare),
        (&[("content-type", "text/plain")], declare),
        (&[("content-type", "text/json")], declare),
        (&[("content-type", "application/x-www-form-urlencoded")], declare),
        (&[("content-type", "application/jsonx")], declare),
        (&[("content-type", "application/json-seq")], declare),
        (&[("content-type", "application/merge-patch+json")], declare),
        (&[("content-type", "text/html, application/json")], declare),
        (&[("content-type", "*/*")], declare),
        (&[("content-type", "é")], declare),
        (&[("content-type", "application/json; charset=utf-16")], "send the body in UTF-8"),
        (&[("content-type", "application/json; charset=iso-8859-1")], "send the body in UTF-8"),
        (&[("content-type", "application/json; a=b; Charset=\"windows-1252\"")], "send the body in UTF-8"),
        (&[json, ("content-type", "text/plain")], "send one Content-Type: application/json"),
        (&[json, ("content-encoding", "gzip")], "send the body without Content-Encoding"),
        (&[json, ("content-encoding", "identity, br")], "send the body without Content-Encoding"),
    ] {
        let (status, problem) = refusal(&with(headers));
        assert_eq!((status, problem["detail"].as_str().unwrap()), (415, detail), "{headers:?}");
    }
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
