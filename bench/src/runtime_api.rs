//! Lambda's Runtime API, for one environment at a time on an address of its own.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hyper::{
    Method, Request,
    body::{Bytes, Incoming},
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::serving::{self, Answer};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";
/// The time-out of the functions that answer HTTP requests.
const TIME_OUT: Duration = Duration::from_secs(5);

/// An event that waits for an idle environment.
pub(crate) struct Invocation {
    /// Lambda's id of the invocation.
    pub(crate) id: String,
    /// The event.
    pub(crate) event: Bytes,
    /// Where the result goes.
    pub(crate) result: oneshot::Sender<Result<Bytes, Bytes>>,
}

/// The events that wait; idle environments take from it in turn.
pub(crate) type Queue = tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>;

/// The Runtime API of one environment.
pub(crate) struct RuntimeApi {
    queue: Arc<Queue>,
    current: Mutex<Option<Invocation>>,
    first_next: OnceLock<Instant>,
    init_error: OnceLock<String>,
    changed: Notify,
}

impl RuntimeApi {
    /// The API of an environment that takes its events from `queue`.
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            current: Mutex::default(),
            first_next: OnceLock::new(),
            init_error: OnceLock::new(),
            changed: Notify::new(),
        }
    }

    /// Waits until the environment asks for its first event. Returns when it did, or how its initialisation failed.
    pub(crate) async fn initialised(&self) -> Result<Instant, String> {
        loop {
            if let Some(error) = self.init_error.get() {
                return Err(error.clone());
            }
            if let Some(at) = self.first_next.get() {
                return Ok(*at);
            }
            self.changed.notified().await;
        }
    }

    /// Answers a request of the environment.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        if request.method() == Method::GET && path == NEXT {
            return self.next().await;
        }
        let body = serving::body_of(request).await;
        if path == INIT_ERROR {
            let _ = self.init_error.set(String::from_utf8_lossy(&body).into_owned()); // the first error counts
            self.changed.notify_one();
            return serving::answer(202, &[], "");
        }
        match path.strip_prefix(INVOCATION).and_then(|rest| rest.split_once('/')) {
            Some((id, "response")) => self.end(id, Ok(body)),
            Some((id, "error")) => self.end(id, Err(body)),
            _ => serving::answer(404, &[], "the Runtime API has no such path"),
        }
    }

    async fn next(&self) -> Answer {
        if self.first_next.set(Instant::now()).is_ok() {
            self.changed.notify_one();
        }
        let Some(invocation) = self.queue.lock().await.recv().await else {
            return serving::answer(410, &[], "the host ends");
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = (since + TIME_OUT).as_millis().to_string();
        let headers = [
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", invocation.id.as_str()),
            ("lambda-runtime-deadline-ms", deadline.as_str()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:bench"),
            ("lambda-runtime-trace-id", "Root=1-690df280-3f2a1b4c5d6e7f8091a2b3c4;Parent=4c721bf33e3caf8f;Sampled=0"),
        ];
        let answer = serving::answer(200, &headers, invocation.event.clone());
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(invocation);
        answer
    }

    fn end(&self, id: &str, result: Result<Bytes, Bytes>) -> Answer {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).take_if(|current| current.id == id);
        match current {
            Some(invocation) => {
                let _ = invocation.result.send(result); // the client may have gone away
                serving::answer(202, &[], "")
            }
            None => serving::answer(400, &[], "this environment has no such invocation"),
        }
    }
}
