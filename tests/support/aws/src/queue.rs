//! SQS in this process, behind the real client.

use std::{collections::BTreeSet, ops::Range};

use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value, json};

use crate::{
    calls::Calls,
    kept::{Kept, Refused},
    wire::{NOWHERE, client},
};

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The URL that the message was sent to.
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
    /// Messages of batches that it refuses, by their number among those that come next.
    refused: Refused,
}

impl Queue {
    /// A client that counts its requests in `calls`.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_sqs::Client {
        let refused = self.refused.clone();
        let serve = move |sent: &mut Vec<Sent>, operation: &str, body: &[u8]| serve(sent, &refused, operation, body);
        client!(aws_sdk_sqs, self.kept.wire(calls, serve, BROKEN), calls, NOWHERE)
    }

    /// Breaks the service, so that every request fails. False: repairs it.
    pub fn fail(&self, broken: bool) {
        self.kept.fail(broken);
    }

    /// Refuses these of the messages that come next in batches; 0 is the first. The rest of each batch is taken, as SQS does.
    pub fn refuse(&self, messages: Range<usize>) {
        self.refused.set(messages);
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

/// What SQS has against a batch of messages, as an error's name.
#[must_use]
pub fn batch_fault(entries: &[Value]) -> Option<&'static str> {
    let ids: BTreeSet<&str> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    let is_id = |id: &&str| (1..=80).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match entries.len() {
        0 => Some("EmptyBatchRequest"),
        11.. => Some("TooManyEntriesInBatchRequest"),
        _ if !ids.iter().all(is_id) => Some("InvalidBatchEntryId"),
        length => (ids.len() < length).then_some("BatchEntryIdsNotDistinct"),
    }
}

fn serve(sent: &mut Vec<Sent>, refused: &Refused, operation: &str, body: &[u8]) -> (u16, String) {
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
            if let Some(fault) = batch_fault(entries) {
                return (400, json!({"__type": format!("com.amazonaws.sqs#{fault}"), "message": fault}).to_string());
            }
            let (mut taken, mut failed) = (Vec::new(), Vec::new());
            for entry in entries {
                if refused.takes_next() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_sqs_refuses_is_refused() {
        let entries = |ids: &[&str]| ids.iter().map(|id| json!({"Id": id, "MessageBody": "{}"})).collect::<Vec<_>>();
        let numbers: Vec<String> = (0..11).map(|number| number.to_string()).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        for (ids, fault) in [
            (&numbers[..10], None),
            (&["a-B_1"], None),
            (&[], Some("EmptyBatchRequest")),
            (&numbers[..], Some("TooManyEntriesInBatchRequest")),
            (&["demo.1"], Some("InvalidBatchEntryId")),
            (&[""], Some("InvalidBatchEntryId")),
            (&["1", "2", "1"], Some("BatchEntryIdsNotDistinct")),
        ] {
            assert_eq!(batch_fault(&entries(ids)), fault, "{ids:?}");
        }
    }
}
