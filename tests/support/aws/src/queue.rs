//! SQS in this process, behind the real client.

use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value, json};

use crate::kept::service;

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The queue.
    pub queue_url: String,
    /// The body, which is JSON in all our queues.
    pub body: Value,
    /// Seconds before a consumer can receive it.
    pub delay_seconds: i64,
}

service! {
    /// Queues of any URL. Keeps the messages.
    Queue(Sent), aws_sdk_sqs
}

impl Queue {
    /// All messages, in the order of their arrival.
    pub fn sent(&self) -> Vec<Sent> {
        self.0.all()
    }

    /// Takes all messages, as Lambda passes them to the consumer, without waiting for their delays.
    pub fn take_event(&self) -> SqsEvent {
        let sent = self.0.with(std::mem::take);
        let records: Vec<Value> = sent
            .iter()
            .enumerate()
            .map(|(n, message)| json!({"messageId": format!("message-{n}"), "body": message.body.to_string()}))
            .collect();
        serde_json::from_value(json!({"Records": records})).unwrap()
    }
}

const BROKEN: &str = r#"{"__type":"com.amazonaws.sqs#InternalFailure","message":"broken"}"#;

fn serve(sent: &mut Vec<Sent>, operation: &str, body: &[u8]) -> (u16, String) {
    let request: Value = serde_json::from_slice(body).unwrap();
    let mut keep = |message: &Value| {
        let body = message["MessageBody"].as_str().unwrap();
        let delay_seconds = message["DelaySeconds"].as_i64().unwrap_or(0);
        assert!((0..=900).contains(&delay_seconds), "SQS refuses a delay of {delay_seconds} s");
        sent.push(Sent {
            queue_url: request["QueueUrl"].as_str().unwrap().to_owned(),
            body: serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)),
            delay_seconds,
        });
        format!("message-{}", sent.len())
    };
    let answer = match operation {
        // The SDK for Rust does not compare the digest.
        "SendMessage" => json!({"MessageId": keep(&request), "MD5OfMessageBody": ""}),
        "SendMessageBatch" => {
            let entries = request["Entries"].as_array().unwrap();
            let sent = entries.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": keep(entry), "MD5OfMessageBody": ""}));
            json!({"Successful": sent.collect::<Vec<_>>(), "Failed": []})
        }
        "GetQueueAttributes" => json!({"Attributes": {"ApproximateNumberOfMessages": sent.len().to_string()}}),
        other => panic!("the queue of the testkit does not know {other}"),
    };
    (200, answer.to_string())
}
