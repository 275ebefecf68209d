//! What the fake payment providers share: requests in, answers and webhook deliveries out, time passed in.
//!
//! A fake is a plain state machine. It does no input and output and asks nobody for time or randomness, so a simulation
//! can run it in its process and replay it; [`Server`] puts it behind a port of the loopback interface.

pub mod faults;
pub mod keys;
pub mod outbox;
pub mod server;

use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::Value;

pub use faults::{Fault, Faults};
pub use keys::{Keys, Seen};
pub use outbox::{Outbox, Webhooks};
pub use server::{Server, until_signal};

/// A payment provider that tests talk to instead of the real one.
pub trait Provider: Send {
    /// Answers one request that arrives at `now`.
    fn answer(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Answer;

    /// Takes the webhook deliveries that are due at `now`, each of them once.
    fn due(&mut self, now: Timestamp) -> Vec<Delivery>;

    /// Learns that the receiver accepted a delivery with a 2xx, or did not; then the provider delivers again later.
    fn delivered(&mut self, delivery: &Delivery, accepted: bool, now: Timestamp);
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Answer {
    /// The answer arrives.
    Now(Response<Vec<u8>>),
    /// The answer arrives after this time; what was asked for is done at once.
    Late(Duration, Response<Vec<u8>>),
    /// The connection breaks without an answer.
    Lost,
}

/// A webhook request on its way to the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event's id: the same in every delivery of the event.
    pub event_id: String,
    /// Where it goes.
    pub url: String,
    /// Its headers, the signature among them.
    pub headers: Vec<(String, String)>,
    /// Its body, as signed.
    pub body: Vec<u8>,
}

/// An answer with this JSON. A number that is no HTTP status becomes 500.
#[must_use]
pub fn json(status: u16, value: &Value) -> Response<Vec<u8>> {
    let mut response = Response::new(value.to_string().into_bytes());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The time this long after `at`, or the last time there is.
#[must_use]
pub fn later(at: Timestamp, after: Duration) -> Timestamp {
    at.checked_add(after).unwrap_or(Timestamp::MAX)
}
