//! What functions answer to whoever called them, in a form that tests compare.

use std::future::Future;

use kit::workers::{self, SqsBatchResponse, StreamBatchResponse, TaskError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What a task of the saga answers to the state machine: its output, or the name of its error.
///
/// # Errors
/// The error, by its name.
pub async fn task<I, O, E, F, R>(input: Value, handler: F) -> Result<Value, String>
where
    I: DeserializeOwned,
    O: Serialize,
    E: TaskError,
    F: Fn(I) -> R,
    R: Future<Output = Result<O, E>>,
{
    let output = workers::task(input, handler).await.map_err(|diagnostic| diagnostic.error_type)?;
    Ok(serde_json::to_value(output).unwrap())
}

/// Ids of the messages of a batch that come again.
pub fn failed_messages(response: &SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect()
}

/// Sequence number that a stream goes on from; `None`: the batch is done. Lambda goes on from the lowest, so there is one.
pub fn failed_record(response: &StreamBatchResponse) -> Option<String> {
    assert!(response.batch_item_failures.len() <= 1);
    response.batch_item_failures.first().map(|failure| failure.item_identifier.clone().unwrap())
}
