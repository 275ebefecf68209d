//! Compares an answer with `events/expected.json`.

use serde_json::{Value, json};

/// What is wrong with the answer to `event`.
pub(crate) fn faults(event: &Value, answer: &Value, expected: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(status) = expected["status"].as_u64() {
        if answer["statusCode"] != status {
            faults.push(format!("status {} instead of {status}", answer["statusCode"]));
        }
        let body = answer["body"].as_str().unwrap_or_default();
        let parsed = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap_or_else(|_| json!(body)) };
        if !expected["body"].is_null() && !contains(&parsed, &expected["body"]) {
            faults.push(format!("the body lacks {}", expected["body"]));
        }
    } else if let Some(records) = expected["failed_records"].as_array() {
        let ids: Vec<Value> = records.iter().map(|index| json!({"itemIdentifier": record_id(event, index)})).collect();
        if *answer != json!({"batchItemFailures": ids}) {
            faults.push(format!("should report {ids:?}"));
        }
    } else if let Some(error) = expected["error"].as_str() {
        if answer["errorType"] != error {
            faults.push(format!("should fail with {error}"));
        }
    } else if answer.get("errorType").is_some() || !contains(answer, &expected["output"]) {
        faults.push(format!("should answer {}", expected["output"]));
    }
    faults
}

/// What a queue's or a stream's reader calls a record that failed.
fn record_id(event: &Value, index: &Value) -> Value {
    let record = &event["Records"][usize::try_from(index.as_u64().expect("an index")).unwrap()];
    [&record["messageId"], &record["dynamodb"]["SequenceNumber"]]
        .into_iter()
        .find(|id| id.is_string())
        .expect("a record with an id")
        .clone()
}

/// Whether `all` has every member that `part` has, at any depth. Lists have the same length.
fn contains(all: &Value, part: &Value) -> bool {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            part.iter().all(|(name, value)| all.get(name).is_some_and(|found| contains(found, value)))
        }
        (Value::Array(all), Value::Array(part)) => {
            all.len() == part.len() && all.iter().zip(part).all(|(all, part)| contains(all, part))
        }
        _ => all == part,
    }
}

#[test]
fn a_wrong_answer_is_noticed() {
    let http = |status: u16, body: &str| json!({"statusCode": status, "body": body});
    let expected = json!({"status": 200, "body": {"a": [{"b": 1}]}});
    let check = |answer: Value| faults(&json!({}), &answer, &expected).len();
    assert_eq!(check(http(200, r#"{"a":[{"b":1,"c":2}],"d":3}"#)), 0);
    assert_eq!(check(http(201, r#"{"a":[{"b":1}]}"#)), 1);
    assert_eq!(check(http(200, r#"{"a":[{"b":2}]}"#)), 1);
    assert_eq!(check(http(200, r#"{"a":[]}"#)), 1);
    assert_eq!(check(http(200, "not JSON")), 1);
    assert_eq!(check(json!({"errorType": "x"})), 2);

    let event = json!({"Records": [{"messageId": "m0"}, {"messageId": "m1"}]});
    let check = |answer: Value| faults(&event, &answer, &json!({"failed_records": [1]})).len();
    assert_eq!(check(json!({"batchItemFailures": [{"itemIdentifier": "m1"}]})), 0);
    assert_eq!(check(json!({"batchItemFailures": []})), 1);
    assert_eq!(check(json!({"batchItemFailures": [{"itemIdentifier": "m0"}]})), 1);

    let check = |answer: Value, expected: Value| faults(&json!({}), &answer, &expected).len();
    assert_eq!(check(json!({"errorType": "HoldLost"}), json!({"error": "HoldLost"})), 0);
    assert_eq!(check(json!({"errorType": "HoldLost"}), json!({"error": "MalformedTask"})), 1);
    assert_eq!(check(json!({"errorType": "HoldLost"}), json!({"output": {}})), 1);
    assert_eq!(check(json!({"outcome": "charged", "gateway": 0}), json!({"output": {"gateway": 0}})), 0);
    assert_eq!(check(json!({"outcome": "charged", "gateway": 0}), json!({"output": {"gateway": 1}})), 1);
}
