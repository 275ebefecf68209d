//! EventBridge: it takes only some events of a request. It keeps what it has taken for one reader, which gets the events in any
//! order and some of them twice, and so reads them by their revisions.

use std::{collections::BTreeMap, sync::Mutex};

use serde_json::{Value, json};

use crate::{checks::mutations::Mutation, faults::Fault, world::World};

/// What a reader knows of an order: the events of each revision.
type Revisions = BTreeMap<u64, Value>;

/// The bus of order events, and its reader.
#[derive(Default)]
pub(crate) struct Bus {
    read: Mutex<Read>,
}

/// What the reader has read.
#[derive(Default)]
pub(crate) struct Read {
    /// The events of each order.
    pub(crate) orders: BTreeMap<String, Revisions>,
    /// Two events of an order that have the same revision and are not the same.
    pub(crate) contradiction: Option<(Value, Value)>,
}

impl Bus {
    /// What its reader has read.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Read) -> T) -> T {
        at(&self.read.lock().unwrap())
    }

    /// Answers a request. It may take only some of the events.
    pub(crate) fn serve(&self, world: &World, operation: &str, request: &Value) -> (u16, String) {
        assert_eq!(operation, "PutEvents", "the simulation knows nothing else");
        let entries = request["Entries"].as_array().unwrap();
        assert_eq!(test_aws::entries_fault(entries), None, "EventBridge refuses the request");
        let is_believed = world.mutation.is_some_and(Mutation::believes_every_put);
        let (mut answers, mut failed) = (Vec::new(), 0);
        for entry in entries {
            let is_taken = !world.strikes(Fault::HalfSent);
            if is_taken {
                self.take(serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap());
            } else {
                world.note(|| format!("EventBridge does not take {}", entry["Detail"]));
            }
            if is_taken || is_believed {
                answers.push(json!({"EventId": "1"}));
            } else {
                failed += 1;
                answers.push(json!({"ErrorCode": "InternalFailure", "ErrorMessage": "the simulation says so"}));
            }
        }
        (200, json!({"FailedEntryCount": failed, "Entries": answers}).to_string())
    }

    fn take(&self, event: Value) {
        let mut read = self.read.lock().unwrap();
        let (order, revision) = (event["order_id"].as_str().unwrap().to_owned(), event["revision"].as_u64().unwrap());
        match read.orders.entry(order).or_default().insert(revision, event.clone()) {
            Some(before) if before != event => read.contradiction = Some((before, event)),
            Some(_) | None => {}
        }
    }
}
