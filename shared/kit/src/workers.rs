//! Handles batches of a queue or a stream, and tasks of the saga, without the Lambda runtime. A
//! [`Function`](crate::Function) calls it for each event.

use std::future::Future;

use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use domain::Timestamp;
use futures_util::{StreamExt, stream};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::error;

use crate::{Failure, http::pointer_of, telemetry::chain};

pub use aws_lambda_events::{
    dynamodb::{Event as StreamEvent, EventRecord},
    sqs::{SqsBatchResponse, SqsEvent, SqsMessage},
    streams::DynamoDbEventResponse as StreamBatchResponse,
};
pub use lambda_runtime::Diagnostic;

/// Messages of one batch that are handled at the same time: a queue keeps no order, and handlers mostly wait.
const CONCURRENT_MESSAGES: usize = 10;

/// A part of a batch of stream records failed.
#[derive(Debug)]
pub struct PartFailure {
    /// So many of the batch's first records need not come again.
    pub handled: usize,
    /// Why the next one failed.
    pub failure: Failure,
}

/// An error of a saga task. The state machine's `ErrorEquals` matches its name.
pub trait TaskError: std::error::Error + 'static {
    /// The name in `ErrorEquals`, exactly.
    fn name(&self) -> &'static str;
}

/// The name of the error for an input that cannot be read. The state machine never retries it: a second reading would
/// fail too.
pub const MALFORMED_TASK: &str = "MalformedTask";

/// The name of the error for an output that is not JSON: a fault in the code, which no retry repairs.
pub const UNWRITABLE_OUTPUT: &str = "UnwritableOutput";

/// Handles every message of a batch and returns which ones failed: only those are delivered again.
///
/// A message that cannot be read fails as well. It is logged each time and ends in the dead-letter queue.
pub async fn sqs_batch<T, F, R>(event: SqsEvent, handler: F) -> SqsBatchResponse
where
    T: DeserializeOwned,
    F: Fn(T) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let handler = &handler;
    let outcomes = stream::iter(event.records)
        .map(|message| async move {
            // A message without an id is reported with an empty one, which makes the whole batch count as failed.
            let id = message.message_id.unwrap_or_default();
            let outcome = match read_message(message.body.as_deref().unwrap_or_default()) {
                Ok(body) => handler(body).await,
                Err(failure) => Err(failure),
            };
            outcome.err().map(|failure| (id, failure))
        })
        .buffered(CONCURRENT_MESSAGES);
    let failed: Vec<(String, Failure)> = outcomes.filter_map(std::future::ready).collect().await;

    let mut response = SqsBatchResponse::default();
    for (id, failure) in failed {
        error!(message_id = id, %failure, "a message failed and will be delivered again");
        response.add_failure(id);
    }
    response
}

/// Handles the records in order until one fails, and reports that one. The stream delivers this record and all later
/// ones again, but not the earlier ones.
pub async fn stream_batch<F, R>(event: StreamEvent, handler: F) -> DynamoDbEventResponse
where
    F: Fn(EventRecord) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    for record in event.records {
        let sequence_number = record.change.sequence_number.clone();
        if let Err(failure) = handler(record).await {
            error!(sequence_number, %failure, "a stream record failed and will be delivered again");
            return go_on_from(sequence_number);
        }
    }
    DynamoDbEventResponse::default()
}

/// Passes the whole batch to the handler. If it fails, the stream delivers the whole batch again.
pub async fn whole_stream_batch<F, R>(event: StreamEvent, handler: F) -> DynamoDbEventResponse
where
    F: Fn(Vec<EventRecord>) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let Some(first) = event.records.first() else { return DynamoDbEventResponse::default() };
    let sequence_number = first.change.sequence_number.clone();
    let Err(failure) = handler(event.records).await else { return DynamoDbEventResponse::default() };
    error!(sequence_number, %failure, "a batch of stream records failed and will be delivered again");
    go_on_from(sequence_number)
}

/// Passes the whole batch to the handler. If a part of it fails, the stream delivers the batch again from the part's first record.
pub async fn stream_batch_in_parts<F, R>(event: StreamEvent, handler: F) -> DynamoDbEventResponse
where
    F: Fn(Vec<EventRecord>) -> R,
    R: Future<Output = Result<(), PartFailure>>,
{
    let sequence_numbers: Vec<_> = event.records.iter().map(|record| record.change.sequence_number.clone()).collect();
    let Err(PartFailure { handled, failure }) = handler(event.records).await else { return DynamoDbEventResponse::default() };
    let sequence_number = sequence_numbers.into_iter().nth(handled).flatten();
    error!(sequence_number, %failure, "a part of a batch of stream records failed and will be delivered again");
    go_on_from(sequence_number)
}

/// Logs a stream record, with all its content, that the caller leaves out. A stream does not advance past a record that
/// fails, and drops it after a day.
pub fn left_out(record: &EventRecord, cause: &(dyn std::error::Error + 'static)) {
    crate::metrics::record("RecordsLeftOut", 1.0, "Count");
    // Serializing a record that was deserialized cannot fail.
    let record = serde_json::to_string(record).unwrap_or_default();
    error!(cause = chain(cause), record, "a stream record is left out");
}

/// As [`left_out`], for a record with data of a person: logs only the key of its item.
pub fn left_out_by_key(record: &EventRecord, cause: &(dyn std::error::Error + 'static)) {
    crate::metrics::record("RecordsLeftOut", 1.0, "Count");
    let keys = serde_json::to_string(&record.change.keys).unwrap_or_default();
    error!(cause = chain(cause), keys, sequence_number = record.change.sequence_number, "a stream record is left out");
}

/// Runs a task of the saga on its input.
///
/// # Errors
/// The error's name for the state machine, with its message. Its causes are in the log only.
pub async fn task<I, O, E, F, R>(input: Value, handler: F) -> Result<Value, Diagnostic>
where
    I: DeserializeOwned,
    O: Serialize,
    E: TaskError,
    F: Fn(I) -> R,
    R: Future<Output = Result<O, E>>,
{
    let input = serde_path_to_error::deserialize(input).map_err(|fault| {
        let pointer = pointer_of(fault.path());
        error!(pointer, cause = %fault.inner(), "the input of a task cannot be read");
        Diagnostic {
            error_type: MALFORMED_TASK.to_owned(),
            error_message: format!("the input cannot be read at '{pointer}': {}", fault.inner()),
        }
    })?;
    let output = handler(input).await.map_err(|error| {
        error!(error_name = error.name(), cause = chain(&error), "a task failed");
        Diagnostic { error_type: error.name().to_owned(), error_message: error.to_string() }
    })?;
    serde_json::to_value(output).map_err(|error| Diagnostic {
        error_type: UNWRITABLE_OUTPUT.to_owned(),
        error_message: format!("the output cannot be written: {error}"),
    })
}

/// The name of the error with which a scheduled run fails.
pub const RUN_FAILED: &str = "RunFailed";

/// Runs a scheduled function. `until` is the time at which it should stop.
///
/// # Errors
/// [`RUN_FAILED`]; the cause is in the log only.
pub async fn scheduled<F, R>(until: Timestamp, handler: F) -> Result<(), Diagnostic>
where
    F: Fn(Timestamp) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    handler(until).await.map_err(|failure| {
        error!(%failure, "a scheduled run failed");
        Diagnostic { error_type: RUN_FAILED.to_owned(), error_message: "the log says why".to_owned() }
    })
}

fn read_message<T: DeserializeOwned>(body: &str) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_str(body);
    let message = serde_path_to_error::deserialize(&mut json).map_err(|fault| {
        Failure::new(format!("the message cannot be read at '{}': {}", pointer_of(fault.path()), fault.inner()))
    })?;
    json.end()?;
    Ok(message)
}

/// A record without a sequence number, which DynamoDB does not send, makes the whole batch count as failed.
fn go_on_from(sequence_number: Option<String>) -> DynamoDbEventResponse {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number.unwrap_or_default());
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.push(failure);
    response
}

#[cfg(test)]
mod tests;
