//! A Lambda function, described by its trigger.
//!
//! Each function implements the trait of its trigger. [`Function`] erases the function's type: the registries list it,
//! [`serve`](crate::serve) runs it on Lambda, and tests invoke it with events.

use std::{future::Future, sync::Arc};

use domain::Timestamp;
use futures_util::future::BoxFuture;
use identity::Grant;
use lambda_http::Request;
use lambda_runtime::Diagnostic;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    AuthorizerEvent, Failure, NotGranted, Problem, Response, http, metrics,
    workers::{self, EventRecord, PartFailure, SqsBatchResponse, SqsEvent, StreamBatchResponse, StreamEvent, TaskError},
};

/// Handles one event. The future owns its data, so a caller may run it anywhere.
pub type Handler<I, O> = Box<dyn Fn(I) -> BoxFuture<'static, O> + Send + Sync>;

/// A function, by its trigger.
pub enum Function {
    /// A request of API Gateway's REST API.
    Http(Handler<Request, Response>),
    /// API Gateway asks who sends a request. The answer is a policy.
    Authorizer(Handler<AuthorizerEvent, Result<Value, Diagnostic>>),
    /// A batch of queue messages.
    Queue(Handler<SqsEvent, SqsBatchResponse>),
    /// A batch of stream records.
    Stream(Handler<StreamEvent, StreamBatchResponse>),
    /// A task of the payment saga. The state machine matches the error by its name.
    Task(Handler<Value, Result<Value, Diagnostic>>),
    /// A schedule. The handler receives the time at which it should stop.
    Schedule(Handler<Timestamp, Result<(), Diagnostic>>),
}

/// A function that answers HTTP requests.
pub trait HttpFunction: Send + Sync + 'static {
    /// Whether the percentiles of its metric `AnswerMilliseconds` are of interest: how long the answers took that are no
    /// refusals. Lambda's own metric of the duration has those, too, and in a rush nearly all are.
    const IS_TIMED: bool = false;

    /// Answers a request. The error is the refusal that the client receives.
    fn answer(&self, request: &Request) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// The response to a request: the answer or the rendered problem, with the headers that every response has.
    fn handle(&self, request: Request) -> impl Future<Output = Response> + Send {
        async move {
            let begun = Self::IS_TIMED.then(Instant::now);
            let result = self.answer(&request).await;
            if let Some(begun) = begun.filter(|_| result.is_ok()) {
                metrics::sample("AnswerMilliseconds", begun.elapsed());
            }
            http::answer(&request, result)
        }
    }
}

/// A function that API Gateway asks who sends a request.
pub trait AuthorizerFunction: Send + Sync + 'static {
    /// What the header `Authorization` grants its sender.
    fn admit(&self, authorization: &str) -> impl Future<Output = Result<Grant, NotGranted>> + Send;
}

/// A function that takes messages from a queue.
pub trait QueueFunction: Send + Sync + 'static {
    /// The type of a message's body.
    type Message: DeserializeOwned + Send;

    /// Handles one message. A message that fails is delivered again.
    fn handle(&self, message: Self::Message) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A function that takes the records of a stream one after the other.
pub trait StreamFunction: Send + Sync + 'static {
    /// Handles one record. If one fails, the stream delivers this record and all later ones again.
    fn handle(&self, record: EventRecord) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A function that takes the records of a stream a batch at a time.
pub trait StreamBatchFunction: Send + Sync + 'static {
    /// Handles a batch. If it fails, the stream delivers the whole batch again.
    fn handle(&self, records: Vec<EventRecord>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A function that takes the records of a stream a batch at a time, and may handle a part of it.
pub trait StreamPartsFunction: Send + Sync + 'static {
    /// Handles a batch. If a part of it fails, the stream delivers the batch again from the part's first record.
    fn handle(&self, records: Vec<EventRecord>) -> impl Future<Output = Result<(), PartFailure>> + Send;
}

/// A function that is a task of the payment saga.
pub trait TaskFunction: Send + Sync + 'static {
    /// The input, from the state machine.
    type Task: DeserializeOwned + Send;
    /// The output, for the state machine.
    type Output: Serialize;
    /// The errors, by the names that the state machine matches.
    type Error: TaskError;

    /// Runs one task.
    fn handle(&self, task: Self::Task) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// A function that a schedule starts.
pub trait ScheduledFunction: Send + Sync + 'static {
    /// Runs once, and should stop at `until`.
    fn handle(&self, until: Timestamp) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl Function {
    /// A function that answers HTTP requests.
    pub fn http(function: impl HttpFunction) -> Self {
        Self::Http(handler(function, |function, request| async move { function.handle(request).await }))
    }

    /// A function that API Gateway asks who sends a request.
    pub fn authorizer(function: impl AuthorizerFunction) -> Self {
        Self::Authorizer(handler(function, |function, event: AuthorizerEvent| async move {
            let granted = function.admit(&event.authorization_token).await;
            event.answer(granted)
        }))
    }

    /// A function that takes messages from a queue.
    pub fn queue(function: impl QueueFunction) -> Self {
        Self::Queue(handler(function, |function, event| async move {
            workers::sqs_batch(event, |message| Box::pin(function.handle(message))).await
        }))
    }

    /// A function that takes the records of a stream one after the other.
    pub fn stream(function: impl StreamFunction) -> Self {
        Self::Stream(handler(function, |function, event| async move {
            workers::stream_batch(event, |record| Box::pin(function.handle(record))).await
        }))
    }

    /// A function that takes the records of a stream a batch at a time.
    pub fn stream_batch(function: impl StreamBatchFunction) -> Self {
        Self::Stream(handler(function, |function, event| async move {
            workers::whole_stream_batch(event, |records| Box::pin(function.handle(records))).await
        }))
    }

    /// A function that takes the records of a stream a batch at a time, and may handle a part of it.
    pub fn stream_parts(function: impl StreamPartsFunction) -> Self {
        Self::Stream(handler(function, |function, event| async move {
            workers::stream_batch_in_parts(event, |records| Box::pin(function.handle(records))).await
        }))
    }

    /// A function that is a task of the payment saga.
    pub fn task(function: impl TaskFunction) -> Self {
        Self::Task(handler(function, |function, input| async move {
            workers::task(input, |task| Box::pin(function.handle(task))).await
        }))
    }

    /// A function that a schedule starts.
    pub fn schedule(function: impl ScheduledFunction) -> Self {
        Self::Schedule(handler(function, |function, until| async move {
            workers::scheduled(until, |until| Box::pin(function.handle(until))).await
        }))
    }
}

/// A handler that gives each event to `handle`, with the function. Its futures are boxed: with its SDK calls, such a future is
/// several levels deep and about 10 KB large.
fn handler<F, I, O, R>(function: F, handle: impl Fn(Arc<F>, I) -> R + Send + Sync + 'static) -> Handler<I, O>
where
    F: Send + Sync + 'static,
    R: Future<Output = O> + Send + 'static,
{
    let function = Arc::new(function);
    Box::new(move |event| Box::pin(handle(Arc::clone(&function), event)))
}
