//! SQS in the process, behind the real client.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value, json};

use crate::{
    calls::Calls,
    wire::{NOWHERE, Service, Wire, client},
};

/// A message as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The queue.
    pub queue_url: String,
    /// The body, which is JSON in all our queues.
    pub body: Value,
    /// Seconds until a consumer may see it.
    pub delay_seconds: i64,
}

/// Queues of any URL. Keeps what was sent.
#[derive(Clone)]
pub struct Queue {
    sent: Arc<Mutex<Vec<Sent>>>,
    broken: Arc<AtomicBool>,
    service: Service,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

impl Queue {
    /// Empty queues.
    pub fn new() -> Self {
        let (sent, broken) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let service: Service = {
            let (sent, broken) = (Arc::clone(&sent), Arc::clone(&broken));
            Arc::new(move |operation, body| {
                if broken.load(Ordering::Relaxed) {
                    return (500, json!({"__type": "com.amazonaws.sqs#InternalFailure", "message": "broken"}).to_string());
                }
                (200, serve(&sent, operation, &serde_json::from_slice(body).unwrap()).to_string())
            })
        };
        Self { sent, broken, service }
    }

    /// A client whose calls nobody counts.
    pub fn client(&self) -> aws_sdk_sqs::Client {
        self.client_with(&Calls::new())
    }

    /// A client that counts its calls there.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_sqs::Client {
        client!(aws_sdk_sqs, Wire::in_process(&self.service, calls), calls, NOWHERE)
    }

    /// Everything that was sent, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Takes everything that was sent, as Lambda hands it to the consumer. The delay is over.
    pub fn take_event(&self) -> SqsEvent {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        let records: Vec<Value> = sent
            .iter()
            .enumerate()
            .map(|(n, message)| json!({"messageId": format!("message-{n}"), "body": message.body.to_string()}))
            .collect();
        serde_json::from_value(json!({"Records": records})).unwrap()
    }

    /// Whether every request fails from now on.
    pub fn fail(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }
}

fn serve(sent: &Mutex<Vec<Sent>>, operation: &str, request: &Value) -> Value {
    let keep = |message: &Value| {
        let mut sent = sent.lock().unwrap();
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
    match operation {
        // The SDK for Rust does not compare the digest.
        "SendMessage" => json!({"MessageId": keep(request), "MD5OfMessageBody": ""}),
        "SendMessageBatch" => {
            let entries = request["Entries"].as_array().unwrap();
            let sent = entries.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": keep(entry), "MD5OfMessageBody": ""}));
            json!({"Successful": sent.collect::<Vec<_>>(), "Failed": []})
        }
        "GetQueueAttributes" => {
            json!({"Attributes": {"ApproximateNumberOfMessages": sent.lock().unwrap().len().to_string()}})
        }
        other => panic!("the queue of the testkit does not know {other}"),
    }
}
