//! EventBridge in this process, behind the real client.

use std::ops::Range;

use serde_json::{Value, json};

use crate::{
    calls::Calls,
    kept::{Kept, Refused},
    wire::{NOWHERE, client},
};

/// An event that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutEvent {
    /// `EventBusName` of the entry.
    pub bus: String,
    /// `Source` of the entry.
    pub source: String,
    /// `DetailType` of the entry.
    pub detail_type: String,
    /// `Detail` of the entry: a JSON object.
    pub detail: Value,
}

/// Buses of any name. Keeps the events.
#[derive(Clone, Default)]
pub struct Bus {
    kept: Kept<PutEvent>,
    /// Events that it refuses, by their number among those that come next.
    refused: Refused,
}

/// The largest request, and so the largest event, in bytes.
const LARGEST_REQUEST_BYTES: usize = 256 * 1_024;

impl Bus {
    /// A client that counts its requests in `calls`.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_eventbridge::Client {
        let refused = self.refused.clone();
        let serve = move |put: &mut Vec<PutEvent>, operation: &str, body: &[u8]| serve(put, &refused, operation, body);
        client!(aws_sdk_eventbridge, self.kept.wire(calls, serve, BROKEN), calls, NOWHERE)
    }

    /// Breaks the service, so that every request fails. False: repairs it.
    pub fn fail(&self, broken: bool) {
        self.kept.fail(broken);
    }

    /// Refuses these of the events that come next; 0 is the first. The rest of each request is taken, as EventBridge does.
    pub fn refuse(&self, events: Range<usize>) {
        self.refused.set(events);
    }

    /// All events, in the order of their arrival.
    pub fn events(&self) -> Vec<PutEvent> {
        self.kept.all()
    }
}

const BROKEN: &str = r#"{"__type":"InternalException","message":"broken"}"#;

/// What EventBridge has against the entries of a request.
#[must_use]
pub fn entries_fault(entries: &[Value]) -> Option<String> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let size = |entry: &Value| ["Source", "DetailType", "Detail"].map(|name| text(entry, name).len()).iter().sum::<usize>();
    let is_whole = |entry: &Value| {
        let has_all = ["EventBusName", "Source", "DetailType", "Detail"].iter().all(|name| !text(entry, name).is_empty());
        has_all && serde_json::from_str::<Value>(&text(entry, "Detail")).is_ok_and(|detail| detail.is_object())
    };
    match entries.len() {
        0 | 11.. => return Some(format!("{} entries", entries.len())),
        1..=10 => {}
    }
    if let Some(entry) = entries.iter().find(|entry| !is_whole(entry)) {
        return Some(format!("a member is missing or no JSON: {entry}"));
    }
    let bytes: usize = entries.iter().map(size).sum();
    (bytes > LARGEST_REQUEST_BYTES).then(|| format!("{bytes} bytes"))
}

fn serve(put: &mut Vec<PutEvent>, refused: &Refused, operation: &str, body: &[u8]) -> (u16, String) {
    assert_eq!(operation, "PutEvents", "the bus of the testkit knows nothing else");
    let request: Value = serde_json::from_slice(body).unwrap();
    let entries = request["Entries"].as_array().unwrap();
    if let Some(fault) = entries_fault(entries) {
        return (400, json!({"__type": "ValidationException", "message": fault}).to_string());
    }
    let mut answers = Vec::new();
    for entry in entries {
        if refused.takes_next() {
            answers.push(json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}));
            continue;
        }
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        let detail = serde_json::from_str(&text("Detail")).unwrap();
        put.push(PutEvent { bus: text("EventBusName"), source: text("Source"), detail_type: text("DetailType"), detail });
        answers.push(json!({"EventId": format!("event-{}", put.len())}));
    }
    let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
    (200, json!({"FailedEntryCount": failed, "Entries": answers}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_eventbridge_refuses_are_refused() {
        let entry = |detail: &str| json!({"EventBusName": "b", "Source": "s", "DetailType": "d", "Detail": detail});
        let large = |bytes: usize| entry(&format!("{{\"a\":\"{}\"}}", "x".repeat(bytes)));
        let mut nameless = entry("{}");
        nameless.as_object_mut().unwrap().remove("EventBusName");
        for (entries, is_fine) in [
            (vec![entry("{}")], true),
            (vec![entry("{}"); 10], true),
            (vec![entry("{}"); 11], false),
            (vec![], false),
            (vec![entry("[]")], false),
            (vec![entry("{")], false),
            (vec![nameless], false),
            (vec![large(262_000)], true),
            (vec![large(262_144)], false),
            (vec![large(100_000); 3], false),
        ] {
            assert_eq!(entries_fault(&entries).is_none(), is_fine, "{} entries", entries.len());
        }
    }
}
