//! The last line of every `main`: ask Lambda for events and give them to the handler, one after the other.

use std::{future::Future, pin::Pin, time::Duration};

use aws_lambda_events::{dynamodb, sqs::SqsEvent};
use domain::{Clock, Timestamp};
use lambda_http::{Request, RequestExt};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::error;

use crate::{
    Failure, Problem, Response, SystemClock, http, telemetry,
    workers::{self, EventRecord, TaskError},
};

/// What the way back of an answer may take.
const TIME_TO_ANSWER: Duration = Duration::from_millis(300);
/// What a scheduled run may take to end what it is at: two slow operations (see [`crate::aws`]), and its last lines.
const TIME_TO_STOP: Duration = Duration::from_secs(10);

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
    lambda_http::run(service_fn(|request: Request| {
        let (id, left) = (http::request_id(&request), time_left(&request));
        let response = in_time(id, left, Box::pin(handler(request)));
        async move { Ok::<_, Error>(response.await) }
    }))
    .await
}

/// The handler's response or, when there is no time left for it, one that says to try again. Cut off by Lambda, the client
/// would get a failure that says nothing, and the next request a cold start.
async fn in_time(id: String, left: Duration, handler: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(left, handler).await.unwrap_or_else(|_| {
        error!(id, "there was no time left to answer");
        http::answer_as(&id, Err(Problem::try_again(1)))
    })
}

/// Time until Lambda cuts the invocation off, less what an answer takes.
fn time_left(request: &Request) -> Duration {
    let deadline = request.lambda_context_ref().map_or(u64::MAX, |context| context.deadline);
    let now = u64::try_from(SystemClock.now().as_millisecond()).unwrap_or(0);
    Duration::from_millis(deadline.saturating_sub(now)).saturating_sub(TIME_TO_ANSWER)
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

/// Serves a schedule. `handler` gets the time at which it should stop, well before Lambda cuts it off; what it has not come to
/// by then is for its next run.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve_scheduled<F, R>(handler: F) -> Result<(), Error>
where
    F: Fn(Timestamp) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    telemetry::start();
    let handler = &boxed(handler);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| workers::scheduled(time_to_stop(event.context.deadline), handler)))
        .await
}

/// `deadline` is in epoch milliseconds.
fn time_to_stop(deadline: u64) -> Timestamp {
    let deadline = i64::try_from(deadline).ok().and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
    deadline.and_then(|deadline| deadline.checked_sub(TIME_TO_STOP).ok()).unwrap_or(Timestamp::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduled_run_stops_ten_seconds_before_it_would_be_cut_off() {
        assert_eq!(time_to_stop(1_790_000_055_000), Timestamp::from_second(1_790_000_045).unwrap());
    }

    #[tokio::test]
    async fn a_handler_that_takes_too_long_is_answered_for() {
        let stuck = std::future::pending();
        let response = in_time("r-1".to_owned(), Duration::from_millis(1), stuck).await;
        assert_eq!((response.status(), &response.headers()["retry-after"]), (503.try_into().unwrap(), &"1".try_into().unwrap()));
        let quick = async { Response::default() };
        assert_eq!(in_time("r-2".to_owned(), Duration::from_secs(5), quick).await.status(), 200);
    }
}
