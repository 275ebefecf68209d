//! When a reservation may be made in a sale, by an environment of `reserve` that knows the sale late and by another clock.

use jiff::{SignedDuration, Timestamp};

use crate::Sale;

impl Sale {
    /// Time before the start of a sale in which `reserve` may take it for open, or claim by a description that is being replaced.
    /// An environment uses a description for one second and may read it one second late, its clock may differ from the operator's
    /// by two seconds each way, and the write that stops it may take four.
    const RESERVABLE_BEFORE_START: SignedDuration = SignedDuration::from_secs(10);

    /// Time after the end of a sale in which a reservation may still be made: an environment of `reserve` believes for a
    /// second that the sale is open, clocks differ, and a claim that is under way takes some seconds (ADR 1 has the same
    /// time).
    const RESERVABLE_AFTER_END: SignedDuration = SignedDuration::from_secs(12);

    /// Before this time, no reservation can be under way yet: the sale can be changed, and one that is closed was never open.
    #[must_use]
    pub fn reservable_at(&self) -> Timestamp {
        self.draft.starts_at.checked_sub(Self::RESERVABLE_BEFORE_START).unwrap_or(Timestamp::MIN)
    }

    /// When the sale is over: at its end, or when an operator closed it before.
    #[must_use]
    pub fn over_at(&self) -> Timestamp {
        self.closed_at.map_or(self.draft.ends_at, |closed_at| closed_at.min(self.draft.ends_at))
    }

    /// From this time on, no reservation can be under way any more.
    #[must_use]
    pub fn unreservable_at(&self) -> Timestamp {
        self.over_at().checked_add(Self::RESERVABLE_AFTER_END).unwrap_or(Timestamp::MAX)
    }
}
