//! Which messages and records are delivered again, and the error names that the saga receives.

use std::sync::Mutex;

use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Deserialize)]
struct Message {
    order_id: String,
}

#[derive(Debug, thiserror::Error)]
enum ChargeError {
    #[error("nobody knows what became of the charge")]
    OutcomeUnknown(#[source] std::io::Error),
}

impl TaskError for ChargeError {
    fn name(&self) -> &'static str {
        match self {
            Self::OutcomeUnknown(_) => "PaymentOutcomeUnknown",
        }
    }
}

fn queue_event(messages: &[(&str, &str)]) -> SqsEvent {
    let records: Vec<Value> = messages.iter().map(|(id, body)| json!({"messageId": id, "body": body})).collect();
    serde_json::from_value(json!({"Records": records})).unwrap()
}

fn stream_event(sequence_numbers: &[&str]) -> StreamEvent {
    let record = |number: &&str| {
        json!({
            "awsRegion": "us-east-1", "eventID": number, "eventName": "REMOVE",
            "dynamodb": {"SequenceNumber": number, "SizeBytes": 1, "Keys": {"pk": {"S": number}}},
        })
    };
    serde_json::from_value(json!({"Records": sequence_numbers.iter().map(record).collect::<Vec<_>>()})).unwrap()
}

async fn refuse_bad(message: Message) -> Result<(), Failure> {
    if message.order_id.starts_with("bad") { Err(Failure::new("no such order")) } else { Ok(()) }
}

#[tokio::test]
async fn only_failed_and_unreadable_messages_come_again() {
    let event = queue_event(&[
        ("1", r#"{"order_id": "good"}"#),
        ("2", r#"{"order_id": "bad"}"#),
        ("3", "not JSON"),
        ("4", r#"{"order_id": 7}"#),
        ("5", r#"{"order_id": "good"} trailing"#),
        ("6", ""),
        ("7", r#"{"order_id": "good"}"#),
    ]);
    let response = sqs_batch(event, refuse_bad).await;
    let failed: Vec<&str> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    assert_eq!(failed, ["2", "3", "4", "5", "6"]);
    assert_eq!(
        serde_json::to_value(&response).unwrap()["batchItemFailures"][0],
        json!({"itemIdentifier": "2"}),
        "as Lambda reads it"
    );
}

#[tokio::test]
async fn a_batch_without_failures_says_so() {
    let response = sqs_batch(queue_event(&[("1", r#"{"order_id": "good"}"#)]), refuse_bad).await;
    assert_eq!(serde_json::to_value(&response).unwrap(), json!({"batchItemFailures": []}));
    let nothing = sqs_batch(queue_event(&[]), refuse_bad).await;
    assert!(nothing.batch_item_failures.is_empty());
}

#[tokio::test]
async fn every_message_is_handled_even_after_one_failed() {
    let seen = Mutex::new(Vec::new());
    let bodies: Vec<(String, String)> =
        (0..25).map(|n| (n.to_string(), json!({"order_id": format!("bad-{n}")}).to_string())).collect();
    let messages: Vec<(&str, &str)> = bodies.iter().map(|(id, body)| (id.as_str(), body.as_str())).collect();
    let response = sqs_batch(queue_event(&messages), |message: Message| {
        seen.lock().unwrap().push(message.order_id.clone());
        refuse_bad(message)
    })
    .await;
    assert_eq!((seen.lock().unwrap().len(), response.batch_item_failures.len()), (25, 25));
}

#[tokio::test]
async fn a_stream_stops_at_the_first_failure_and_goes_on_from_there() {
    let seen = Mutex::new(Vec::new());
    let response = stream_batch(stream_event(&["100", "200", "300"]), |record| {
        let number = record.change.sequence_number.unwrap();
        seen.lock().unwrap().push(number.clone());
        async move { if number == "200" { Err(Failure::new("conflict")) } else { Ok(()) } }
    })
    .await;
    assert_eq!(*seen.lock().unwrap(), ["100", "200"], "the third waits for the second");
    assert_eq!(serde_json::to_value(&response).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "200"}]}));
}

#[tokio::test]
async fn a_stream_that_was_handled_has_no_failures() {
    let response = stream_batch(stream_event(&["100", "200"]), |_| async { Ok(()) }).await;
    assert_eq!(serde_json::to_value(&response).unwrap(), json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn a_whole_batch_comes_again_from_its_first_record() {
    let failed = whole_stream_batch(stream_event(&["100", "200"]), |records| async move {
        assert_eq!(records.len(), 2);
        Err(Failure::new("the version has changed"))
    });
    assert_eq!(serde_json::to_value(failed.await).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "100"}]}));
    let handled = whole_stream_batch(stream_event(&["100"]), |_| async { Ok(()) }).await;
    assert!(handled.batch_item_failures.is_empty());
    let empty = whole_stream_batch(stream_event(&[]), |_| async { Err(Failure::new("never asked")) }).await;
    assert!(empty.batch_item_failures.is_empty());
}

#[tokio::test]
async fn a_task_answers_with_its_output() {
    let output = task(json!({"order_id": "demo.1"}), |input: Message| async move { Ok::<_, ChargeError>(input.order_id) }).await;
    assert_eq!(output.unwrap(), "demo.1");
}

#[tokio::test]
async fn a_task_fails_by_the_name_that_the_state_machine_matches_and_keeps_its_cause() {
    let diagnostic = task(json!({"order_id": "demo.1"}), |_: Message| async {
        Err::<(), _>(ChargeError::OutcomeUnknown(std::io::Error::other("10.0.0.7 reset the connection")))
    })
    .await
    .unwrap_err();
    assert_eq!(diagnostic.error_type, "PaymentOutcomeUnknown");
    assert_eq!(diagnostic.error_message, "nobody knows what became of the charge");
}

#[tokio::test]
async fn an_input_that_cannot_be_read_is_malformed_and_says_where() {
    let diagnostic = task(json!({"order_id": 7}), |_: Message| async { Ok::<_, ChargeError>(()) }).await.unwrap_err();
    assert_eq!(diagnostic.error_type, "MalformedTask");
    assert_eq!(diagnostic.error_message, "the input cannot be read at '/order_id': invalid type: integer `7`, expected a string");
}

#[test]
fn a_failure_keeps_the_causes_of_any_error() {
    fn handle() -> Result<(), Failure> {
        Err(ChargeError::OutcomeUnknown(std::io::Error::other("reset")))?;
        Ok(())
    }
    assert_eq!(handle().unwrap_err().to_string(), "nobody knows what became of the charge: reset");
}
