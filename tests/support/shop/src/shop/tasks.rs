//! The answers of functions to their triggers, in a form that tests compare.

use kit::{
    QueueFunction, StreamBatchFunction, StreamFunction, StreamPartsFunction, TaskFunction,
    workers::{self, SqsBatchResponse, SqsEvent, StreamBatchResponse, StreamEvent},
};
use serde_json::Value;

/// The answer of a saga task to the state machine: its output, or the name of its error.
///
/// # Errors
/// The error's name.
pub async fn task(function: &impl TaskFunction, input: Value) -> Result<Value, String> {
    workers::task(input, |task| function.handle(task)).await.map_err(|diagnostic| diagnostic.error_type)
}

/// Passes a batch of messages to a function. Returns the ids of those that come again.
pub async fn queue(function: &impl QueueFunction, event: SqsEvent) -> Vec<String> {
    failed_messages(&workers::sqs_batch(event, |message| function.handle(message)).await)
}

/// Passes a batch of records to a function. Returns the sequence number from which the stream continues.
pub async fn stream(function: &impl StreamFunction, event: StreamEvent) -> Option<String> {
    failed_record(&workers::stream_batch(event, |record| function.handle(record)).await)
}

/// As [`stream`], for a function that takes whole batches.
pub async fn stream_batch(function: &impl StreamBatchFunction, event: StreamEvent) -> Option<String> {
    failed_record(&workers::whole_stream_batch(event, |records| function.handle(records)).await)
}

/// As [`stream_batch`], for a function that may handle a part of a batch.
pub async fn stream_parts(function: &impl StreamPartsFunction, event: StreamEvent) -> Option<String> {
    failed_record(&workers::stream_batch_in_parts(event, |records| function.handle(records)).await)
}

/// The ids of a batch's messages that come again.
fn failed_messages(response: &SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect()
}

/// The sequence number from which a stream continues; `None`: the batch is done. Lambda continues from the lowest, so
/// there is only one.
fn failed_record(response: &StreamBatchResponse) -> Option<String> {
    assert!(response.batch_item_failures.len() <= 1);
    response.batch_item_failures.first().map(|failure| failure.item_identifier.clone().unwrap())
}
