//! An event in short form, and in AWS's form.

use serde_json::{Value, json};

use crate::{Change, Request, ids, queue, stream};

/// The event of a case.
#[derive(Debug, Clone)]
pub enum Event {
    /// A request to the REST API.
    Http(Request),
    /// API Gateway's question who sends a request.
    Authorizer {
        /// The header `Authorization`.
        header: String,
    },
    /// A batch of messages of one queue.
    Queue {
        /// The queue's logical id.
        queue: &'static str,
        /// The bodies: a text unchanged, everything else as JSON.
        bodies: Vec<Value>,
    },
    /// A batch of records of one table's stream.
    Stream {
        /// The table's logical id.
        table: &'static str,
        /// The changes of its items.
        changes: Vec<Change>,
    },
    /// The tick of a schedule.
    Schedule,
    /// The input of a task of the saga.
    Task(Value),
}

impl Event {
    pub(crate) fn json(&self, names: &[&str; 2]) -> Value {
        match self {
            Self::Http(request) => request.event(names),
            Self::Authorizer { header } => json!({
                "type": "TOKEN",
                "authorizationToken": header,
                "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/GET/orders",
            }),
            Self::Queue { queue, bodies } => {
                json!({"Records": bodies.iter().enumerate().map(|(at, body)| queue::record(names, at, queue, body)).collect::<Vec<_>>()})
            }
            Self::Stream { table, changes } => {
                json!({"Records": changes.iter().enumerate().map(|(at, change)| stream::record(names, at, table, change)).collect::<Vec<_>>()})
            }
            Self::Schedule => json!({
                "version": "0",
                "id": ids::uuid(&[names[0], names[1], "event"]),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": "123456789012",
                "time": "2026-11-01T12:01:00Z",
                "region": "us-east-1",
                "resources": ["arn:aws:events:us-east-1:123456789012:rule/flash-sale-ReconcileFunctionEveryMinute-1A2B3C4D5E6F7"],
                "detail": {},
            }),
            Self::Task(input) => input.clone(),
        }
    }
}

impl From<Request> for Event {
    fn from(request: Request) -> Self {
        Self::Http(request)
    }
}

impl From<Value> for Event {
    fn from(input: Value) -> Self {
        Self::Task(input)
    }
}
