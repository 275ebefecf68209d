//! A card number is found in every kind of body, and its place is told without it.

use insta::assert_snapshot;
use lambda_http::{Body, Request};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::*;
use crate::http::json_body;

/// Visa's test number.
const CARD: &str = "4242424242424242";
/// Forms of it that no answer may contain.
const PARTS: [&str; 3] = ["4242", "٤٢", "４２"];

fn place(body: &str) -> Option<String> {
    card_number(body.as_bytes())
}

#[track_caller]
fn check(body: &str, pointer: &str) {
    assert_eq!(place(body).as_deref(), Some(pointer), "{body}");
    // No reader of this body refuses it for another reason first.
    let request = test_aws::request("POST", "/checkout").header("content-type", "application/json").body(body).build();
    let refused = json_body::<Value>(&request).unwrap_err();
    assert_eq!((refused.status(), refused.code()), (400, "card-data"), "{body}");
    let answer = test_aws::response(&refused.into_response());
    assert!(!PARTS.iter().any(|part| answer.contains(part)), "{answer}");
}

#[test]
fn a_number_is_found_in_every_part_of_json() {
    for (body, pointer) in [
        (r#"{"payment_method": "4242424242424242"}"#, "/payment_method"),
        (r#"{"payment_method": "sandbox:4242-4242-4242-4242"}"#, "/payment_method"),
        (r#"{"note": "my card is 4242 4242 4242 4242, thanks"}"#, "/note"),
        (r#"{"amount": 4242424242424242}"#, "/amount"),
        (r#"{"amount": -4242424242424242}"#, "/amount"),
        (r#"{"amount": 4242424242424242.50}"#, "/amount"),
        (r#"{"amount":[1,4242424242424242]}"#, "/amount/1"),
        (r#"{"address": {"line": "x", "city": "4242424242424242"}}"#, "/address/city"),
        (r#"{"list": [{}, [], [[1, {"a/b~c": ["4242424242424242"]}]]]}"#, "/list/2/0/1/a~1b~0c/0"),
        (r#"{"a": {"b": {}}, "c": "4242424242424242"}"#, "/c"),
        (r#"{"": "4242424242424242"}"#, "/"),
        (r#"["4242424242424242"]"#, "/0"),
        ("4242424242424242", ""),
        (r#""4242424242424242""#, ""),
        // A member that is there twice: a reader keeps one of the two.
        (r#"{"a": "4242424242424242", "a": "x"}"#, "/a"),
        (r#"{"a": "x", "a": "4242424242424242"}"#, "/a"),
    ] {
        check(body, pointer);
    }
}

#[test]
fn a_number_that_is_a_name_is_not_repeated_in_the_pointer() {
    for (body, pointer) in [
        (r#"{"4242424242424242": 1}"#, ""),
        (r#"{"a": {"b": 1, "4242 4242 4242 4242": {"c": 1}}}"#, "/a"),
        (r#"{"a": [0, {"\u0034242424242424242": 1}]}"#, "/a/1"),
        (r#"{"phone": {"4242424242424242": 1}}"#, "/phone"),
    ] {
        check(body, pointer);
    }
}

#[test]
fn escapes_and_other_digits_hide_nothing() {
    let escaped = CARD.chars().map(|digit| format!("\\u{:04x}", u32::from(digit))).collect::<Vec<_>>().concat();
    for (text, name) in [
        (escaped.as_str(), "a"),
        (r"\u0034242424242424242", "a"),
        (r"4242\t4242\u00a04242\u20134242", "a"),
        (r#"\"\\\/4242424242424242\b"#, "a"),
        (r"\ud83d\ude004242424242424242", "a"),
        // Mathematical digits, beyond the basic plane.
        (r"\ud835\udfdc\ud835\udfda42424242424242", "a"),
        ("٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢", "a"),
        ("４２４２４２４２４２４２４２４２", "a"),
        ("4242424242424242", r"\u0061"),
        // Readers ignore such halves of characters in a member that they do not know.
        (r"\ud8004242424242424242", "a"),
        (r"\udc00\ud8004242424242424242\u00", "a"),
    ] {
        check(&format!(r#"{{"{name}": "{text}"}}"#), "/a");
    }
}

#[test]
fn a_body_that_is_no_json_is_searched_too() {
    for (body, pointer) in [
        ("card=4242424242424242&cvc=123", ""),
        ("<card>4242 4242 4242 4242</card>", ""),
        ("my card is\r\n4242-4242-4242-4242\r\n", ""),
        (r#"{"a": "4242424242424242"#, "/a"),
        (r#"{"a": "4242424242424242\"#, "/a"),
        (r#"{"a": \u0034242424242424242"#, "/a"),
        (r#"{"a" "x", "b": 4242424242424242"#, "/b"),
        (r"{'a': '4242424242424242'}", ""),
        (r#"{"a": 4242 4242 4242 4242}"#, "/a"),
        ("{card: 4242424242424242}", ""),
        ("}}]]{\"a\": [4242424242424242", "/a/0"),
        ("{\"a\": 1} // 4242424242424242", ""),
        ("\u{feff}{\"a\": \"4242424242424242\"}", "/a"),
    ] {
        check(body, pointer);
    }
    let not_utf_8 = [b"{\"a\": \"\xff\xfe".as_slice(), CARD.as_bytes(), b"\xff\"}"].concat();
    assert_eq!(card_number(&not_utf_8).as_deref(), Some("/a"));
}

#[test]
fn a_body_is_searched_whatever_it_is_declared_as() {
    let with = |body: Body, media_type: Option<&str>, coding: Option<&str>| -> Request {
        let mut request = test_aws::request("POST", "/checkout");
        for (name, value) in [("content-type", media_type), ("content-encoding", coding)] {
            request = if let Some(value) = value { request.header(name, value) } else { request };
        }
        let mut request = request.build();
        *request.body_mut() = body;
        request
    };
    let body = || Body::Text(format!("card={CARD}"));
    for request in [
        with(body(), None, None),
        with(body(), Some("application/x-www-form-urlencoded"), None),
        with(body(), Some("application/json"), Some("gzip")),
        with(Body::Binary(format!("card={CARD}").into_bytes()), Some("application/json"), None),
    ] {
        assert_eq!(json_body::<Value>(&request).unwrap_err().code(), "card-data", "{request:?}");
    }
}

#[test]
fn the_text_and_the_number_of_a_phone_are_not_searched() {
    for (body, expected) in [
        (r#"{"phone": "4242424242424242"}"#, None),
        (r#"{"phone": 4242424242424242}"#, None),
        (r#"{"phone": "\u0034242424242424242"}"#, None),
        (r#"{"ph\u006fne": "4242424242424242"}"#, None),
        (r#"{"shipping_address": {"phone": "+4242 4242 4242 4242"}}"#, None),
        (r#"{"phone": ["4242424242424242", ["4242424242424242"]]}"#, None),
        (r#"{"phone": "4242424242424242", "city": "4242424242424242"}"#, Some("/city")),
        (r#"{"phone": {"card": "4242424242424242"}}"#, Some("/phone/card")),
        (r#"{"phone": [{"card": "4242424242424242"}]}"#, Some("/phone/0/card")),
        (r#"{"phone": "x", "list": ["4242424242424242"]}"#, Some("/list/0")),
        (r#"{"Phone": "4242424242424242"}"#, Some("/Phone")),
        (r#"{"phone_number": "4242424242424242"}"#, Some("/phone_number")),
        (r#"{"phone": "x"} 4242424242424242"#, Some("")),
        (r#"["phone", "4242424242424242"]"#, Some("/1")),
    ] {
        assert_eq!(place(body).as_deref(), expected, "{body}");
    }
}

#[test]
fn bodies_of_everyday_are_let_pass() {
    let order = json!({
        "product_id": "4006381-333931", "cart_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "quantity": 2, "amount": "1998.3999999999999",
        "user_id": "5b2f1c1e-7a44-4c0f-4242-424242424242", "payment_method": "provider:pm_1NXWPnLkdIwHu7ixAbCdEfGh",
        "shipping_address": {
            "address_line1": "Łódzka 12-14, 00-950", "city": "Łódź", "postal_code": "90-001", "phone": "+52 1 55 1234 5678 90",
        },
        "seen_at": 1_793_534_400_000_u64, "where": [52.520_008_123_456_78, -13.404_954_123_456_78], "note": "\"\\\n",
    });
    for body in ["", "{}", " ", &order.to_string(), &format!("{order:#}")] {
        assert_eq!(place(body), None, "{body}");
    }
}

/// The recursion limit of `serde_json` is 128. Members that are not known have none.
#[test]
fn no_depth_hides_a_number() {
    let (open, close) = (r#"{"a":["#.repeat(2_000), "]}".repeat(2_000));
    let pointer = "/a/0".repeat(2_000);
    assert_eq!(place(&format!(r#"{open}"{CARD}"{close}"#)), Some(pointer));
    assert_eq!(place(&"[".repeat(16_000)), None);
    assert_eq!(place(&"{".repeat(16_000)), None);
}

#[test]
fn the_refusal_says_what_to_send_instead() {
    let request = test_aws::request("POST", "/payment").json(&json!({"payment_method": CARD})).build();
    assert_snapshot!(test_aws::response(&json_body::<Value>(&request).unwrap_err().into_response()), @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "card-data",
      "detail": "These digits look like a card number, and the request was not read any further. Never send card numbers here: let a payment provider make a token of the card, and send the token as payment_method.",
      "pointer": "/payment_method",
      "status": 400,
      "title": "Never send card numbers",
      "type": "/problems/card-data"
    }
    "#);
}

/// A text as JSON may write it: some characters as escapes.
fn written(text: &str, is_escaped: &[bool]) -> String {
    let escaped = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat();
    let choices = is_escaped.iter().cycle();
    let plain = |c: char| json!(c.to_string()).to_string().trim_matches('"').to_owned();
    let signs = text.chars().zip(choices).map(|(c, is_escaped)| if *is_escaped || c == '"' { escaped(c) } else { plain(c) });
    format!("\"{}\"", signs.collect::<String>())
}

const NAMES: [&str; 7] = ["a", "card", "phone number", "a/b", "~", "ü", ""];

proptest! {
    #[test]
    fn a_number_is_found_at_any_place_with_any_escapes(
        steps in prop::collection::vec((select(NAMES.as_slice()), 0..4_usize, any::<bool>()), 0..6),
        is_escaped in prop::collection::vec(any::<bool>(), 1..20),
        around in "[a-z :/\"\\\\\u{e9}]{0,8}",
    ) {
        let mut body = written(&format!("{around}/{CARD}/{around}"), &is_escaped);
        let mut pointer = String::new();
        for (name, siblings, is_member) in steps {
            let others = |text: &str| text.repeat(siblings);
            let step = if is_member { name.replace('~', "~0").replace('/', "~1") } else { siblings.to_string() };
            pointer = format!("/{step}{pointer}");
            body = if is_member {
                format!("{{{}{}: {body}{}}}", others(r#""x": [1, {"y": "z"}], "#), written(name, &is_escaped), others(r#", "z": {}"#))
            } else {
                format!("[{}{body}{}]", others(r#"{"x": "y"}, "#), others(", []"))
            };
        }
        prop_assert!(serde_json::from_str::<Value>(&body).is_ok(), "{}", body);
        prop_assert_eq!(place(&body), Some(pointer), "{}", body);
    }

    #[test]
    fn what_a_quick_look_lets_pass_has_no_number(body in "[0-9 \\-\"{}\\[\\]:,.a-c\n]{0,60}") {
        prop_assert!(!is_surely_without(body.as_bytes()) || first_place(body.as_bytes()).is_none(), "{}", body);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
        let _ = first_place(&bytes);
        // A number between quotation marks is found whatever is around it, unless a backslash hides the mark.
        let (before, after) = bytes.split_at(at.min(bytes.len()));
        let before: Vec<u8> = before.iter().copied().filter(|byte| !b"\\".contains(byte)).collect();
        let body = [before.as_slice(), b",\"", CARD.as_bytes(), b"\",", after].concat();
        prop_assert!(first_place(&body).is_some(), "{:?}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn a_text_is_decoded_as_a_reader_of_json_decodes_it(text in any::<String>(), is_escaped in prop::collection::vec(any::<bool>(), 1..20)) {
        let json = written(&text, &is_escaped);
        let inner = &json[1..json.len() - 1];
        let expected: String = serde_json::from_str(&json).unwrap();
        // Both controls end a number.
        let flat = |text: &str| text.replace(['\u{8}', '\u{c}', '\r'], "\n");
        prop_assert_eq!(flat(&decoded(inner.as_bytes())), flat(&expected));
    }
}
