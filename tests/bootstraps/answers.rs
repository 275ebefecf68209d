//! Compares an answer with what the table of the function expects, and an answer of the API with the contract.

use serde_json::{Value, json};
use test_cases::Answer;
use test_shop::{Answered, Conformance};

/// The differences between the answer to `event` and the expected one.
pub(crate) fn faults(event: &Value, answer: &Value, expected: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    match expected {
        Answer::Http { status, body: expected } => {
            if answer["statusCode"] != *status {
                faults.push(format!("status {} instead of {status}", answer["statusCode"]));
            }
            let body = answer["body"].as_str().unwrap_or_default();
            let parsed = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap_or_else(|_| json!(body)) };
            if !expected.is_null() && !contains(&parsed, expected) {
                faults.push(format!("the body lacks {expected}"));
            }
        }
        Answer::FailedRecords(places) => {
            let ids: Vec<Value> = places.iter().map(|place| json!({"itemIdentifier": record_id(event, *place)})).collect();
            if *answer != json!({"batchItemFailures": ids}) {
                faults.push(format!("should report {ids:?}"));
            }
        }
        Answer::Error(error) => {
            if answer["errorType"] != *error {
                faults.push(format!("should fail with {error}"));
            }
        }
        Answer::Output(output) => {
            if answer.get("errorType").is_some() || !contains(answer, output) {
                faults.push(format!("should answer {output}"));
            }
        }
    }
    faults
}

/// The parts of the answer to `event` that the contract does not describe. `event` is a request from API Gateway.
pub(crate) fn undescribed(event: &Value, answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = answer["multiValueHeaders"].as_object().into_iter().flatten();
    let answered = Answered {
        status: answer["statusCode"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default(),
        headers: headers.map(|(name, values)| (name.to_lowercase(), text(&values[0]))).collect(),
        body: text(&answer["body"]),
    };
    Conformance::of_the_contract().faults(&text(&event["httpMethod"]), &text(&event["path"]), &answered)
}

/// The id under which a reader of a queue or a stream reports a failed record.
fn record_id(event: &Value, place: usize) -> Value {
    let record = &event["Records"][place];
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
    let expected = Answer::Http { status: 200, body: json!({"a": [{"b": 1}]}) };
    let check = |answer: Value| faults(&json!({}), &answer, &expected).len();
    assert_eq!(check(http(200, r#"{"a":[{"b":1,"c":2}],"d":3}"#)), 0);
    assert_eq!(check(http(201, r#"{"a":[{"b":1}]}"#)), 1);
    assert_eq!(check(http(200, r#"{"a":[{"b":2}]}"#)), 1);
    assert_eq!(check(http(200, r#"{"a":[]}"#)), 1);
    assert_eq!(check(http(200, "not JSON")), 1);
    assert_eq!(check(json!({"errorType": "x"})), 2);

    let event = json!({"Records": [{"messageId": "m0"}, {"messageId": "m1"}]});
    let check = |answer: Value| faults(&event, &answer, &Answer::FailedRecords(vec![1])).len();
    assert_eq!(check(json!({"batchItemFailures": [{"itemIdentifier": "m1"}]})), 0);
    assert_eq!(check(json!({"batchItemFailures": []})), 1);
    assert_eq!(check(json!({"batchItemFailures": [{"itemIdentifier": "m0"}]})), 1);

    let check = |answer: Value, expected: Answer| faults(&json!({}), &answer, &expected).len();
    assert_eq!(check(json!({"errorType": "HoldLost"}), Answer::Error("HoldLost")), 0);
    assert_eq!(check(json!({"errorType": "HoldLost"}), Answer::Error("MalformedTask")), 1);
    assert_eq!(check(json!({"errorType": "HoldLost"}), Answer::Output(json!({}))), 1);
    assert_eq!(check(json!({"outcome": "charged", "gateway": 0}), Answer::Output(json!({"gateway": 0}))), 0);
    assert_eq!(check(json!({"outcome": "charged", "gateway": 0}), Answer::Output(json!({"gateway": 1}))), 1);
}

#[test]
fn an_answer_that_the_contract_does_not_describe_is_noticed() {
    let event = json!({"httpMethod": "GET", "path": "/health"});
    let check = |status: u16, body: &str| {
        let headers = json!({"Content-Type": ["application/json"], "X-Request-Id": ["r-1"]});
        undescribed(&event, &json!({"statusCode": status, "multiValueHeaders": headers, "body": body})).len()
    };
    assert_eq!(check(200, r#"{"status":"ok","version":"1"}"#), 0);
    assert_eq!(check(201, r#"{"status":"ok","version":"1"}"#), 1);
    assert_eq!(check(200, r#"{"status":"ok"}"#), 1);
}
