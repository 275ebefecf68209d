//! SQS in this process, behind the real client.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value, json};

use crate::{
    calls::Calls,
    kept::Kept,
    wire::{NOWHERE, client},
};

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

/// Queues of any URL. Keeps the messages.
#[derive(Clone, Default)]
pub struct Queue {
    kept: Kept<Sent>,
    /// Messages of batches that it has yet to refuse.
    refused: Arc<AtomicUsize>,
}

impl Queue {
    /// A client that counts its requests in `calls`.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_sqs::Client {
        let refused = Arc::clone(&self.refused);
        let serve = move |sent: &mut Vec<Sent>, operation: &str, body: &[u8]| serve(sent, &refused, operation, body);
        client!(aws_sdk_sqs, self.kept.wire(calls, serve, BROKEN), calls, NOWHERE)
    }

    /// Breaks the service, so that every request fails. False: repairs it.
    pub fn fail(&self, broken: bool) {
        self.kept.fail(broken);
    }

    /// Refuses the next messages that come in batches. The rest of each batch is taken, as SQS does.
    pub fn refuse(&self, messages: usize) {
        self.refused.store(messages, Ordering::Relaxed);
    }

    /// All messages, in the order of their arrival.
    pub fn sent(&self) -> Vec<Sent> {
        self.kept.all()
    }

    /// Takes all messages, as Lambda passes them to the consumer, without waiting for their delays.
    pub fn take_event(&self) -> SqsEvent {
        let sent = self.kept.with(std::mem::take);
        let records: Vec<Value> = sent
            .iter()
            .enumerate()
            .map(|(n, message)| json!({"messageId": format!("message-{n}"), "body": message.body.to_string()}))
            .collect();
        serde_json::from_value(json!({"Records": records})).unwrap()
    }
}

const BROKEN: &str = r#"{"__type":"com.amazonaws.sqs#InternalFailure","message":"broken"}"#;

fn serve(sent: &mut Vec<Sent>, refused: &AtomicUsize, operation: &str, body: &[u8]) -> (u16, String) {
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
            assert!((1..=10).contains(&entries.len()), "SQS refuses a batch of {} messages", entries.len());
            let (mut taken, mut failed) = (Vec::new(), Vec::new());
            for entry in entries {
                let is_refused = refused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
                if is_refused {
                    failed.push(json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
                } else {
                    taken.push(json!({"Id": entry["Id"], "MessageId": keep(entry), "MD5OfMessageBody": ""}));
                }
            }
            json!({"Successful": taken, "Failed": failed})
        }
        "GetQueueAttributes" => json!({"Attributes": {"ApproximateNumberOfMessages": sent.len().to_string()}}),
        other => panic!("the queue of the testkit does not know {other}"),
    };
    (200, answer.to_string())
}
