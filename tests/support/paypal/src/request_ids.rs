//! `PayPal-Request-Id`: what a call with a known id is answered.
//!
//! As PayPal documents it (<https://developer.paypal.com/api/rest/reference/idempotency/>):
//!
//! - The server stores ids of Orders v2 for six hours, and ids of Payments v2 for 45 days; then a call is made anew.
//! - A known id is answered with the *latest* status of what the first call made. The body of the second call does not
//!   matter: neither API has an error for an id that comes with another body.
//! - Orders v2 then answers 200 instead of 201. Payments v2 answers the first call's status.
//! - Of two calls at the same time, the second one may fail (409 in Payments v2).
//!
//! The fake holds an id for one kind of call of one account. So the same id for another authorization is answered with the
//! first one: a client has to notice.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::refusal::Refusal;

/// The calls that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    CreateOrder,
    AuthorizeOrder,
    CaptureOrder,
    CaptureAuthorization,
    VoidAuthorization,
    RefundCapture,
}

/// Orders v2: "stores keys for 6 hours"; an account manager can extend it to 72 hours.
const ORDER_IDS_LAST: SignedDuration = SignedDuration::from_hours(6);
/// Payments v2: "stores keys for 45 days".
const PAYMENT_IDS_LAST: SignedDuration = SignedDuration::from_hours(45 * 24);

impl Operation {
    fn is_of_orders(self) -> bool {
        match self {
            Self::CreateOrder | Self::AuthorizeOrder | Self::CaptureOrder => true,
            Self::CaptureAuthorization | Self::VoidAuthorization | Self::RefundCapture => false,
        }
    }

    fn ids_last(self) -> SignedDuration {
        if self.is_of_orders() { ORDER_IDS_LAST } else { PAYMENT_IDS_LAST }
    }

    /// The longest id, in characters. Payments v2 gives a limit that no client reaches.
    pub(crate) fn longest_id(self) -> usize {
        if self.is_of_orders() { 108 } else { 10_000 }
    }
}

/// What a call made: a resource's id, or a refusal.
pub(crate) type Made = Result<String, Refusal>;

/// What the server knows of an id.
#[derive(Debug)]
pub(crate) enum Known<'i> {
    /// The first call has not been answered yet.
    InProgress,
    /// The first call made this.
    Made(&'i Made),
}

#[derive(Debug)]
struct Stored {
    at: Timestamp,
    answered_at: Timestamp,
    made: Made,
}

/// The ids that the server stores, by account, kind of call, and id.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(BTreeMap<(String, Operation, String), Stored>);

impl RequestIds {
    /// What is known of this id, unless its time is over.
    pub(crate) fn known(&self, client_id: &str, operation: Operation, id: &str, now: Timestamp) -> Option<Known<'_>> {
        let stored = self.0.get(&(client_id.to_owned(), operation, id.to_owned()))?;
        if now.duration_since(stored.at) >= operation.ids_last() {
            return None;
        }
        Some(if now < stored.answered_at { Known::InProgress } else { Known::Made(&stored.made) })
    }

    /// Stores what a call made that arrived at the first of `times` and is answered at the second.
    pub(crate) fn store(&mut self, client_id: &str, operation: Operation, id: &str, times: (Timestamp, Timestamp), made: Made) {
        let (at, answered_at) = times;
        self.0.insert((client_id.to_owned(), operation, id.to_owned()), Stored { at, answered_at, made });
    }
}
