//! The sample events of `events/<function>/<case>.json`.

use std::path::PathBuf;

use lambda_http::Request;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An event of API Gateway, such as `reserve/ok.json`, as the function receives it.
pub fn event(path: &str) -> Request {
    let text = event_text(path);
    lambda_http::request::from_str(&text).unwrap_or_else(|error| panic!("{path} is no event of a REST API: {error}"))
}

/// The text of an event's file.
pub fn event_text(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../events").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// An event as JSON: the input of a saga task.
pub fn event_value(path: &str) -> Value {
    event_as(path)
}

/// An event as a `T`, such as an `SqsEvent`.
pub fn event_as<T: DeserializeOwned>(path: &str) -> T {
    serde_json::from_str(&event_text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
