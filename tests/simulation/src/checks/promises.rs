//! What shoppers were told, for the checks to compare with the items. Shoppers write it, checks read it.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;

/// All that was promised in a history.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// Until when a reservation's units are held, by shopper and reservation.
    pub(crate) holds: BTreeMap<(String, String), Timestamp>,
    /// Reservations that their shoppers have asked to cancel.
    pub(crate) cancelled: BTreeSet<String>,
    /// Orders whose checkout was accepted.
    pub(crate) accepted: BTreeSet<String>,
    /// Orders that are said to be completed.
    pub(crate) completed: BTreeSet<String>,
}

impl Promises {
    /// "These units are yours until then."
    pub(crate) fn hold(&mut self, shopper: &str, reservation: &str, until: &str) {
        let Ok(until) = until.parse() else { return };
        let known = self.holds.entry((shopper.to_owned(), reservation.to_owned())).or_insert(until);
        *known = until.max(*known);
    }
}
