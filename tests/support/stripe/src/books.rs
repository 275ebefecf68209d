//! Everything that one account has: its objects, its events, and what will happen by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use test_provider::{Outbox, later};

use crate::{
    charge::{Charge, Refund},
    intent::Intent,
    methods::PaymentMethod,
};

/// The API version whose form this fake's objects have. It is also the account's default.
pub(crate) const API_VERSION: &str = "2026-10-28.endive";

/// Who caused an event: the id of a request and its idempotency key. Nobody, if it happened by itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause {
    pub(crate) request: Option<String>,
    pub(crate) key: Option<String>,
}

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The authorisation of this intent expires.
    Expire(String),
    /// The processing of this intent ends.
    Settle {
        intent: String,
        /// Whether it ends well.
        well: bool,
    },
    /// A pending refund succeeds, or a successful one fails.
    Refund(String),
}

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    /// A payment that is processing.
    pub(crate) settling: Duration,
    /// A refund that changes later.
    pub(crate) refund: Duration,
}

/// What an account has. Objects sort by their ids in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Books {
    number: usize,
    made: u64,
    pub(crate) delays: Delays,
    pub(crate) intents: BTreeMap<String, Intent>,
    pub(crate) charges: BTreeMap<String, Charge>,
    pub(crate) refunds: BTreeMap<String, Refund>,
    pub(crate) methods: BTreeMap<String, PaymentMethod>,
    pub(crate) events: BTreeMap<String, Value>,
    pub(crate) outbox: Outbox,
    timers: BTreeSet<(Timestamp, Timer)>,
}

impl Books {
    /// The empty books of the account with this number.
    pub(crate) fn new(number: usize, delays: Delays) -> Self {
        Self {
            number,
            made: 0,
            delays,
            intents: BTreeMap::new(),
            charges: BTreeMap::new(),
            refunds: BTreeMap::new(),
            methods: BTreeMap::new(),
            events: BTreeMap::new(),
            outbox: Outbox::default(),
            timers: BTreeSet::new(),
        }
    }

    /// The id of a new object, as long as Stripe's.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_3F{:03}{:018}", self.number, self.made)
    }

    /// Makes an event of an object as it is now.
    pub(crate) fn emit(&mut self, kind: &str, object: &Value, cause: &Cause, now: Timestamp) {
        let id = self.id("evt");
        let event = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": now.as_second(),
            "data": { "object": object },
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": cause.request, "idempotency_key": cause.key },
            "type": kind,
        });
        self.outbox.push(&id, event.to_string().as_bytes(), now);
        self.events.insert(id, event);
    }

    /// Makes an event of an intent, and shows it to the search later.
    pub(crate) fn emit_intent(&mut self, kind: &str, id: &str, cause: &Cause, now: Timestamp) {
        let Some(intent) = self.intents.get_mut(id) else { return };
        intent.index(now);
        let view = intent.view();
        self.emit(kind, &view, cause, now);
    }

    /// Makes an event of a charge.
    pub(crate) fn emit_charge(&mut self, kind: &str, id: &str, cause: &Cause, now: Timestamp) {
        if let Some(view) = self.charges.get(id).map(Charge::view) {
            self.emit(kind, &view, cause, now);
        }
    }

    /// Makes an event of a refund.
    pub(crate) fn emit_refund(&mut self, kind: &str, id: &str, cause: &Cause, now: Timestamp) {
        if let Some(view) = self.refunds.get(id).map(Refund::view) {
            self.emit(kind, &view, cause, now);
        }
    }

    /// Lets something happen by itself, this long after `now`.
    pub(crate) fn set(&mut self, timer: Timer, now: Timestamp, after: Duration) {
        self.timers.insert((later(now, after), timer));
    }

    /// Takes the next thing that has happened by itself until `now`.
    pub(crate) fn next_timer(&mut self, now: Timestamp) -> Option<(Timestamp, Timer)> {
        if self.timers.first()?.0 <= now { self.timers.pop_first() } else { None }
    }

    /// An object by its id, for a request that expands a reference.
    pub(crate) fn view(&self, id: &str) -> Option<Value> {
        match id.split_once('_')?.0 {
            "pi" => self.intents.get(id).map(Intent::view),
            "ch" => self.charges.get(id).map(Charge::view),
            "re" => self.refunds.get(id).map(Refund::view),
            "pm" => self.methods.get(id).map(PaymentMethod::view),
            _ => None,
        }
    }
}
