//! Tests of the fake as a state machine: requests in, answers and deliveries out, on a clock of their own.

mod access;
mod events;
mod idempotency;
mod lists;
mod refunds;
mod search;
mod shopper;
mod transitions;

use std::time::Duration;

use http::{HeaderMap, Request};
use jiff::Timestamp;
use serde_json::Value;
use test_provider::{Answer, Provider as _, later};

use crate::{FakeStripe, Options};

/// A fake with its clock.
pub(super) struct World {
    pub(super) fake: FakeStripe,
    pub(super) now: Timestamp,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        Self { fake: FakeStripe::new(options), now: "2026-11-27T09:00:00Z".parse().unwrap() }
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = later(self.now, Duration::from_secs(seconds));
    }

    /// Sends a request with these headers.
    pub(super) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:12111");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.fake.answer(&request.body(body.as_bytes().to_vec()).unwrap(), self.now)
    }

    /// Sends a request that is answered at once.
    pub(super) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        reply(self.send(method, path, headers, body))
    }

    pub(super) fn post(&mut self, path: &str, form: &str) -> Reply {
        self.ask("POST", path, &[LOCAL], form)
    }

    /// Sends a request with an idempotency key.
    pub(super) fn keyed(&mut self, key: &str, path: &str, form: &str) -> Reply {
        self.ask("POST", path, &[LOCAL, ("idempotency-key", key)], form)
    }

    pub(super) fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, &[LOCAL], "")
    }

    /// A control request, which has to succeed.
    pub(super) fn control(&mut self, path: &str, json: &str) {
        let reply = self.ask("POST", &format!("/_fake/{path}"), &[], json);
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// Makes and confirms an intent over 2000 cents with this payment method, and returns the answer.
    pub(super) fn pay(&mut self, method: &str, more: &str) -> Reply {
        self.post("/v1/payment_intents", &format!("{CARD}&confirm=true&payment_method={method}&{more}"))
    }

    /// Authorises 2000 cents, and returns the intent's id.
    pub(super) fn authorised(&mut self) -> String {
        let reply = self.pay("pm_card_visa", "capture_method=manual");
        assert_eq!(reply.body["status"], "requires_capture", "{reply:?}");
        reply.id()
    }

    /// The types of all events so far, the first first.
    pub(super) fn events(&mut self) -> Vec<String> {
        let list = self.get("/v1/events?limit=100");
        let events = list.body["data"].as_array().unwrap().iter().rev();
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// The local account's secret key.
pub(super) const LOCAL: (&str, &str) = ("authorization", "Bearer sk_test_local");
/// An intent over 20 dollars that takes cards.
pub(super) const CARD: &str = "amount=2000&currency=usd&payment_method_types[]=card";

impl Reply {
    pub(super) fn id(&self) -> String {
        self.text("/id")
    }

    /// A text in the body.
    pub(super) fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no {pointer} in {self:?}")).to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, type and code of an error.
    pub(super) fn error(&self) -> String {
        let error = &self.body["error"];
        let part = |name| error[name].as_str().unwrap_or("-");
        format!("{} {} {} {}", self.status, part("type"), part("code"), part("param"))
    }
}

/// An answer that arrives at once.
pub(super) fn reply(answer: Answer) -> Reply {
    let Answer::Now(response) = answer else { panic!("the answer does not arrive at once: {answer:?}") };
    let (head, body) = response.into_parts();
    Reply { status: head.status.as_u16(), body: serde_json::from_slice(&body).unwrap_or_default(), headers: head.headers }
}
