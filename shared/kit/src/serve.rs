//! The last line of every `main`: receives events from Lambda and passes them to the function, one after the other.

use std::{future::Future, time::Duration};

use domain::{Clock, Timestamp};
use lambda_http::{Request, RequestExt, http::header::ORIGIN};
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::error;

use crate::{
    EdgeSecrets, Function, Origins, Problem, Response, SystemClock,
    http::{self, GatewayEvent},
    telemetry,
};

/// Time that a response needs to reach Lambda.
const TIME_TO_ANSWER: Duration = Duration::from_millis(300);
/// Time that a scheduled run needs to finish its current work: two slow operations (see [`crate::aws`]), and its last
/// log lines.
const TIME_TO_STOP: Duration = Duration::from_secs(10);

/// What a client learns that has found the API behind the edge.
const THROUGH_THE_EDGE: &str = "this address takes no requests from clients";

/// Runs a function on Lambda until Lambda ends the environment.
///
/// An HTTP function answers in time, for pages of these `origins`, or `serve` answers `503 try-again` for it. A queue or a
/// stream delivers again only what failed. A scheduled run learns a time to stop that is well before Lambda's time-out.
///
/// An HTTP function takes only requests that `edge_secrets` admit.
///
/// # Errors
/// When Lambda's runtime interface cannot be reached.
pub async fn serve(function: Function, edge_secrets: EdgeSecrets, origins: &Origins) -> Result<(), Error> {
    telemetry::start();
    match &function {
        Function::Http(handle) => {
            run(|event: GatewayEvent, context| {
                let is_admitted = edge_secrets.admit(event.only_header(http::EDGE_SECRET_HEADER));
                let request = Request::from(event).with_lambda_context(context);
                let (id, left) = (http::request_id(&request), time_left(&request));
                let page = request.headers().get(ORIGIN).cloned();
                let response = is_admitted.then(|| in_time(id.clone(), left, handle(request)));
                async move {
                    let mut response = match response {
                        Some(response) => response.await,
                        None => http::answer_as(&id, Err(Problem::forbidden(THROUGH_THE_EDGE))),
                    };
                    origins.mark(&mut response, page.as_ref());
                    Ok(http::reply(response))
                }
            })
            .await
        }
        Function::Authorizer(handle) => run(|event, _| handle(event)).await,
        Function::Queue(handle) => run(|event, _| async { Ok(handle(event).await) }).await,
        Function::Stream(handle) => run(|event, _| async { Ok(handle(event).await) }).await,
        Function::Task(handle) => run(|event, _| handle(event)).await,
        Function::Schedule(handle) => run(|_: Value, context| handle(time_to_stop(context.deadline))).await,
    }
}

/// Passes each event to the handler, with its context.
async fn run<I, O, R>(handle: impl Fn(I, Context) -> R) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    R: Future<Output = Result<O, Diagnostic>>,
{
    lambda_runtime::run(service_fn(|event: LambdaEvent<I>| handle(event.payload, event.context))).await
}

/// The handler's response, or `try-again` when no time is left for it. If Lambda stopped the function instead, the
/// client would get a failure without an explanation, and the next request a cold start.
async fn in_time(id: String, left: Duration, handler: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(left, handler).await.unwrap_or_else(|_| {
        error!(id, "the time to answer ran out");
        http::answer_as(&id, Err(Problem::try_again(1)))
    })
}

/// Time until Lambda stops the invocation, less the time that a response needs.
fn time_left(request: &Request) -> Duration {
    let deadline = request.lambda_context_ref().map_or(u64::MAX, |context| context.deadline);
    let now = u64::try_from(SystemClock.now().as_millisecond()).unwrap_or(0);
    Duration::from_millis(deadline.saturating_sub(now)).saturating_sub(TIME_TO_ANSWER)
}

/// `deadline` is in epoch milliseconds.
fn time_to_stop(deadline: u64) -> Timestamp {
    let deadline = i64::try_from(deadline).ok().and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
    deadline.and_then(|deadline| deadline.checked_sub(TIME_TO_STOP).ok()).unwrap_or(Timestamp::MAX)
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
