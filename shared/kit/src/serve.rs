//! The last line of every `main`: ask Lambda for events and give them to the handler, one after the other.

use std::{future::Future, pin::Pin};

use aws_lambda_events::{dynamodb, sqs::SqsEvent};
use lambda_http::Request;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Failure, Response, telemetry,
    workers::{self, EventRecord, TaskError},
};

/// Serves requests of API Gateway's REST API.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve_http<F, R>(handler: F) -> Result<(), Error>
where
    F: Fn(Request) -> R,
    R: Future<Output = Response> + Send,
{
    telemetry::start();
    lambda_http::run(service_fn(|request| {
        let response = Box::pin(handler(request));
        async move { Ok::<_, Error>(response.await) }
    }))
    .await
}

/// Serves an SQS queue: `handler` gets each message, and only those that failed are delivered again.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve_sqs<T, F, R>(handler: F) -> Result<(), Error>
where
    T: DeserializeOwned,
    F: Fn(T) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    telemetry::start();
    let handler = &boxed(handler);
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(workers::sqs_batch(event.payload, handler).await)
    }))
    .await
}

/// Serves a DynamoDB stream: `handler` gets each record in order, up to the first that fails.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve_stream<F, R>(handler: F) -> Result<(), Error>
where
    F: Fn(EventRecord) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    telemetry::start();
    let handler = &boxed(handler);
    lambda_runtime::run(service_fn(|event: LambdaEvent<dynamodb::Event>| async move {
        Ok::<_, Error>(workers::stream_batch(event.payload, handler).await)
    }))
    .await
}

/// Serves a DynamoDB stream: `handler` gets the whole batch, and gets it again when it fails.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve_stream_batch<F, R>(handler: F) -> Result<(), Error>
where
    F: Fn(Vec<EventRecord>) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    telemetry::start();
    let handler = &boxed(handler);
    lambda_runtime::run(service_fn(|event: LambdaEvent<dynamodb::Event>| async move {
        Ok::<_, Error>(workers::whole_stream_batch(event.payload, handler).await)
    }))
    .await
}

/// Serves a task of the saga: typed input, typed output, and errors by the names that the state machine matches.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve_task<I, O, E, F, R>(handler: F) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    E: TaskError,
    F: Fn(I) -> R,
    R: Future<Output = Result<O, E>>,
{
    telemetry::start();
    let handler = &boxed(handler);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| workers::task(event.payload, handler))).await
}

/// A handler's future with the SDK calls in it is some levels deep and some 10 KB large: on the heap it is a pointer to
/// everything around it.
fn boxed<I, R>(handler: impl Fn(I) -> R) -> impl Fn(I) -> Pin<Box<R>> {
    move |input| Box::pin(handler(input))
}
