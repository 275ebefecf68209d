//! The answers that shoppers got, for comparison with the items. Shoppers write them, checks read them.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use jiff::SignedDuration;

/// All promises of a history.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// The time until which a reservation's units are held, by shopper and reservation.
    pub(crate) holds: BTreeMap<(String, String), Timestamp>,
    /// Reservations that their shoppers asked to cancel.
    pub(crate) cancelled: BTreeSet<String>,
    /// Orders whose checkout was accepted.
    pub(crate) accepted: BTreeSet<String>,
    /// Orders that were reported as completed.
    pub(crate) completed: BTreeSet<String>,
    /// The notices that the topic took, with their orders.
    pub(crate) told: BTreeSet<(String, String)>,
    /// How many refunds of an order were confirmed when its shopper was last told of them.
    pub(crate) refunds_told: BTreeMap<String, usize>,
    /// The addresses that each shopper sent, in the order in which they were sent.
    addresses: BTreeMap<String, Vec<Sent>>,
}

/// An address that a shopper sent.
#[derive(Debug)]
struct Sent {
    at: Timestamp,
    city: String,
    /// The order that got it, if an answer said so.
    accepted_for: Option<String>,
    /// The request was refused, so it changed nothing.
    is_refused: bool,
}

/// How long after it was sent a request that was not answered may still change an order: the time-out of a function, and the
/// time of its last request.
const TAKES_EFFECT_WITHIN: SignedDuration = SignedDuration::from_secs(10);

impl Promises {
    /// Records that a shopper sends an address. Returns the record's number.
    pub(crate) fn send_address(&mut self, shopper: &str, city: &str, at: Timestamp) -> usize {
        let sent = self.addresses.entry(shopper.to_owned()).or_default();
        sent.push(Sent { at, city: city.to_owned(), accepted_for: None, is_refused: false });
        sent.len() - 1
    }

    /// Records the answer to a request with an address: the order that it was accepted for, or a refusal.
    pub(crate) fn address_answered(&mut self, shopper: &str, number: usize, order: Option<&str>) {
        let sent = &mut self.addresses.get_mut(shopper).expect("it was sent")[number];
        sent.accepted_for = order.map(str::to_owned);
        sent.is_refused = order.is_none();
    }

    /// Whether an order may be completed with an address in this city: it is the last one that was accepted for the order, or one
    /// without an answer that may have taken effect since.
    pub(crate) fn may_go_to(&self, shopper: &str, order: &str, city: &str) -> bool {
        let Some(sent) = self.addresses.get(shopper) else { return true };
        let Some(last) = sent.iter().rev().find(|sent| sent.accepted_for.as_deref() == Some(order)) else { return true };
        let may_be_later = |sent: &&Sent| {
            !sent.is_refused && sent.accepted_for.is_none() && sent.at.checked_add(TAKES_EFFECT_WITHIN).unwrap() >= last.at
        };
        last.city == city || sent.iter().filter(may_be_later).any(|sent| sent.city == city)
    }

    /// Records the answer "these units are yours until then".
    pub(crate) fn hold(&mut self, shopper: &str, reservation: &str, until: &str) {
        let Ok(until) = until.parse() else { return };
        let known = self.holds.entry((shopper.to_owned(), reservation.to_owned())).or_insert(until);
        *known = until.max(*known);
    }
}
