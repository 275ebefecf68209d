//! The answers that shoppers got, for comparison with the items. Shoppers write them, checks read them.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;

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
}

impl Promises {
    /// Records the answer "these units are yours until then".
    pub(crate) fn hold(&mut self, shopper: &str, reservation: &str, until: &str) {
        let Ok(until) = until.parse() else { return };
        let known = self.holds.entry((shopper.to_owned(), reservation.to_owned())).or_insert(until);
        *known = until.max(*known);
    }
}
