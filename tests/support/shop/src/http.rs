//! Checks that apply to every HTTP function.

use std::path::PathBuf;

use kit::{Request, Response};
use serde_json::{Value, json};
use test_aws::{Calls, Fault, RequestBuilder};

use crate::Buyer;

/// How a route treats a request without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Refuses it.
    Required,
    /// Treats it as a request without options.
    Optional,
}

/// Status, code of the problem and pointer to the fault in one line: `400 malformed-request /quantity`.
pub fn brief(response: &Response) -> String {
    let body = body(response);
    let mut line = response.status().as_u16().to_string();
    for member in ["code", "pointer"] {
        if let Some(text) = body[member].as_str().filter(|text| !text.is_empty()) {
            line = format!("{line} {text}");
        }
    }
    line
}

/// The JSON of a response; null if it has none.
pub fn body(response: &Response) -> Value {
    serde_json::from_slice(response.body().as_ref()).unwrap_or_default()
}

/// Lets a function answer every event of `events/<function>` and lists the answers, one per line. `answer` makes a new
/// shop for each event.
pub async fn answers(function: &str, answer: impl AsyncFn(Request) -> Response) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../events").join(function);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let response = answer(test_aws::event(&format!("{function}/{file}"))).await;
        lines.push(format!("{}: {}", file.trim_end_matches(".json"), brief(&response)));
    }
    lines.join("\n")
}

/// Asserts the refusals that every route with a body has, and that they cost no call. `good` is a request that would be
/// granted with a proper body and caller; `answer` is a function with `calls`.
pub async fn refuses_what_every_route_refuses(
    calls: &Calls,
    good: &RequestBuilder,
    rule: Body,
    answer: impl AsyncFn(Request) -> Response,
) {
    let asked = || good.clone().shopper(Buyer::first().shopper.as_str()).claim("cognito:groups", json!("ops"));
    let typed = |body: &str| asked().header("content-type", "application/json").body(body);
    let unsigned = |body: &str| good.clone().header("content-type", "application/json").body(body);
    let mut cases = vec![
        ("nobody has signed in", unsigned("{}"), "401 unauthenticated"),
        ("a header in place of a token", unsigned("{}").header("x-user-id", "shopper-1"), "401 unauthenticated"),
        ("JSON that breaks off", typed("{\"quantity\": 1"), "400 malformed-request"),
        ("more after the JSON", typed("{} {}"), "400 malformed-request"),
        ("a number", typed("1"), "400 malformed-request"),
        ("an array", typed("[1]"), "400 malformed-request"),
        ("a form", asked().header("content-type", "application/x-www-form-urlencoded").body("a=b"), "415 unsupported-media-type"),
        ("no type", asked().body("{}"), "415 unsupported-media-type"),
        ("16 KiB and a byte", typed(&padded(16 * 1024 + 1)), "413 body-too-large"),
        ("1 MiB", typed(&padded(1024 * 1024)), "413 body-too-large"),
    ];
    if rule == Body::Required {
        cases.extend([
            ("no body", asked(), "400 malformed-request"),
            ("an empty body", typed(""), "400 malformed-request"),
            ("an empty object", typed("{}"), "400 malformed-request"),
            ("16 KiB", typed(&padded(16 * 1024)), "400 malformed-request"),
        ]);
    }
    calls.reset();
    for (case, request, expected) in cases {
        let line = brief(&answer(request.build()).await);
        // The pointer to a missing member may follow.
        assert!(line.starts_with(expected), "{case}: {line}");
    }
    assert_eq!(calls.total(), 0, "what cannot be read costs nothing");
}

/// Asserts that the answer is a 500 without details when a table refuses one of these operations. `answer` runs a
/// function with these calls on a request that would otherwise be granted.
pub async fn hides_what_a_table_refuses(operations: &[&str], answer: impl AsyncFn(&Calls) -> Response) {
    for operation in operations {
        let calls = Calls::new();
        calls.fail_always(operation, Fault::Denied);
        let response = answer(&calls).await;
        assert_eq!(brief(&response), "500 internal-error", "{operation}");
        let shown = test_aws::response(&response);
        assert!(!shown.contains(operation) && !shown.contains("Denied"), "{shown}");
    }
}

/// A JSON object of this many bytes.
fn padded(bytes: usize) -> String {
    format!("{{\"padding\":\"{}\"}}", "x".repeat(bytes - 14))
}
