//! Responses as texts for snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use lambda_http::{Body, Response, http::HeaderName};
use serde_json::{Map, Value};

/// The headers of every answer to one caller; [`told`] leaves them out.
const USUAL_HEADERS: [(&str, &str); 6] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"),
    ("cache-control", "no-store"),
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];
/// Characters per line of a body that [`told`] writes.
const LINE: usize = 110;

/// An answer as its reader sees it, for a snapshot: the status, the headers that differ from the usual ones, and the
/// body. A missing usual header is named. In a problem, some members repeat others (`type`, `status`, `instance`). They
/// are compared here and left out: `409 Conflict: sold-out, Sold out`, then the detail, then the other members.
pub fn told(response: &Response<Body>) -> String {
    let status = response.status();
    let body: &[u8] = response.body().as_ref();
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let media_type = if status.is_success() { "application/json" } else { "application/problem+json" };
    let usual = USUAL_HEADERS.into_iter().chain((!body.is_empty()).then_some(("content-type", media_type)));
    let usual: BTreeMap<&str, &str> = usual.collect();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());

    let mut lines = vec![status.to_string()];
    let names: BTreeSet<&str> = response.headers().keys().map(HeaderName::as_str).chain(usual.keys().copied()).collect();
    for name in names.into_iter().filter(|name| *name != "x-request-id") {
        match header(name) {
            Some(value) if usual.get(name) == Some(&value) => {}
            Some(value) => lines.push(format!("{name}: {value}")),
            None => lines.push(format!("without {name}")),
        }
    }
    let request_id = header("x-request-id");
    if request_id.is_none() {
        lines.push("without x-request-id".to_owned());
    }
    match json {
        Some(Value::Object(mut members)) if header("content-type") == Some("application/problem+json") => {
            let mut text = |name: &str| members.remove(name).map(|value| value.as_str().unwrap_or_default().to_owned());
            let (code, title, detail) = (text("code").unwrap_or_default(), text("title").unwrap_or_default(), text("detail"));
            assert_eq!(text("type"), Some(format!("/problems/{code}")), "type and code");
            assert_eq!(text("instance").as_deref(), request_id, "instance and x-request-id");
            assert_eq!(members.remove("status"), Some(status.as_u16().into()), "status in the body and in the answer");
            lines[0] = format!("{status}: {code}, {title}");
            lines.extend(detail);
            if !members.is_empty() {
                lines.push(filled(&members));
            }
        }
        Some(Value::Object(members)) => lines.push(filled(&members)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | None if body.is_empty() => {}
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | None => {
            lines.push(String::from_utf8_lossy(body).into_owned());
        }
    }
    lines.join("\n")
}

/// An object with as many members per line as fit.
fn filled(members: &Map<String, Value>) -> String {
    let (mut text, mut line) = (String::new(), "{".to_owned());
    let last = members.len().saturating_sub(1);
    for (index, (name, value)) in members.iter().enumerate() {
        let member = format!("{}:{value}{}", Value::from(name.as_str()), if index == last { '}' } else { ',' });
        if line.len() > 1 && line.chars().count() + member.chars().count() > LINE {
            writeln!(text, "{line}").unwrap();
            line = format!(" {member}");
        } else {
            line.push_str(&member);
        }
    }
    text + &line
}

/// Status, all headers in order and a readable body, for a snapshot.
pub fn response(response: &Response<Body>) -> String {
    let mut text = format!("{}\n", response.status());
    let mut headers: Vec<String> =
        response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    for header in headers {
        writeln!(text, "{header}").unwrap();
    }
    let body: &[u8] = response.body().as_ref();
    if !body.is_empty() {
        let readable = serde_json::from_slice::<Value>(body).and_then(|json| serde_json::to_string_pretty(&json));
        write!(text, "\n{}", readable.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned())).unwrap();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usual() -> lambda_http::http::response::Builder {
        let response = Response::builder().header("x-request-id", "r-1").header("content-type", "application/json");
        USUAL_HEADERS.into_iter().fold(response, |response, (name, value)| response.header(name, value))
    }

    fn problem(body: &Value) -> Response<Body> {
        let mut response = usual().status(409).body(Body::from(body.to_string())).unwrap();
        response.headers_mut().insert("content-type", "application/problem+json".parse().unwrap());
        response
    }

    #[test]
    fn what_every_answer_has_is_left_out_and_what_differs_is_told() {
        let plain = usual().status(201).body(Body::from("{\"a\":1,\"b\":[2]}")).unwrap();
        assert_eq!(told(&plain), "201 Created\n{\"a\":1,\"b\":[2]}");
        let mut other = plain.clone();
        other.headers_mut().insert("cache-control", "max-age=1".parse().unwrap());
        other.headers_mut().insert("location", "/x".parse().unwrap());
        assert_eq!(told(&other), "201 Created\ncache-control: max-age=1\nlocation: /x\n{\"a\":1,\"b\":[2]}");
        for name in ["access-control-allow-origin", "cache-control", "content-type", "x-request-id"] {
            let mut lacking = plain.clone();
            lacking.headers_mut().remove(name);
            assert!(told(&lacking).contains(&format!("\nwithout {name}\n")), "{name}: {}", told(&lacking));
        }
        let long = json!({"a": "x".repeat(60), "b": "y".repeat(60)}).to_string();
        let lines = told(&usual().body(Body::from(long)).unwrap());
        assert_eq!(lines.lines().count(), 3, "{lines}");
    }

    #[test]
    fn a_problem_is_told_without_what_repeats() {
        let body = json!({"type": "/problems/sold-out", "title": "Sold out", "status": 409, "instance": "r-1", "code": "sold-out",
            "detail": "Nothing is left.", "available_quantity": 0});
        assert_eq!(told(&problem(&body)), "409 Conflict: sold-out, Sold out\nNothing is left.\n{\"available_quantity\":0}");
    }

    #[test]
    fn a_problem_that_contradicts_itself_fails_the_test() {
        for (member, wrong) in [("type", json!("/problems/other")), ("status", json!(410)), ("instance", json!("r-2"))] {
            let mut body = json!({"type": "/problems/x", "title": "X", "status": 409, "instance": "r-1", "code": "x"});
            assert_eq!(told(&problem(&body)), "409 Conflict: x, X");
            body[member] = wrong;
            assert!(std::panic::catch_unwind(|| told(&problem(&body))).is_err(), "{member}");
        }
    }
}
