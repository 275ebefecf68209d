//! The gateway: its books under one idempotency key, and its answers. It stands for `payments::Sandbox`.

use crate::world::Book;

/// The gateway's answer to a charge, or to a capture: `Charged`, or `Declined` if it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// Authorised: the money is reserved.
    Authorised,
    /// Charged at once.
    Charged,
    /// Declined: no money moved.
    Declined,
    /// Down; certainly not charged.
    Unavailable,
}

/// The gateway's answer to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Returned {
    /// The money is back.
    Refunded,
    /// Nothing was charged under the key, and nothing ever will be.
    Voided,
}

impl Answer {
    const ALL: [Self; 4] = [Self::Authorised, Self::Charged, Self::Declined, Self::Unavailable];
    /// The possible answers to the capture of an authorisation.
    pub(crate) const OF_A_CAPTURE: [Self; 2] = [Self::Charged, Self::Declined];
}

impl Book {
    /// The possible answers to a charge. A settled key has one answer for ever.
    pub fn answers(self) -> &'static [Answer] {
        match self {
            Self::Untouched => &Answer::ALL,
            Self::Authorised => &[Answer::Authorised],
            Self::Captured | Self::Charged => &[Answer::Charged],
            Self::Declined | Self::Refunded | Self::Voided => &[Answer::Declined],
        }
    }

    /// The books after a charge with this answer.
    #[must_use]
    pub fn charge(self, answer: Answer) -> Self {
        match (self, answer) {
            (Self::Untouched, Answer::Authorised) => Self::Authorised,
            (Self::Untouched, Answer::Charged) => Self::Charged,
            (Self::Untouched, Answer::Declined) => Self::Declined,
            (Self::Untouched, Answer::Unavailable) => Self::Untouched,
            (Self::Authorised | Self::Captured | Self::Charged | Self::Declined | Self::Refunded | Self::Voided, _) => self,
        }
    }

    /// The books after a capture with this answer, and whether the gateway has captured, now or before.
    pub fn capture(self, answer: Answer) -> (Self, bool) {
        match (self, answer) {
            (Self::Authorised, Answer::Charged) => (Self::Captured, true),
            (Self::Captured | Self::Charged, _) => (self, true),
            (Self::Authorised | Self::Untouched | Self::Declined | Self::Refunded | Self::Voided, _) => (self, false),
        }
    }

    /// What the gateway finds under the key. `None`: nothing.
    pub fn look_up(self) -> Option<Answer> {
        match self {
            Self::Untouched => None,
            Self::Authorised => Some(Answer::Authorised),
            Self::Captured | Self::Charged => Some(Answer::Charged),
            Self::Declined | Self::Refunded | Self::Voided => Some(Answer::Declined),
        }
    }

    /// The books after a refund, and the gateway's answer.
    pub fn refund(self) -> (Self, Returned) {
        match self {
            Self::Captured | Self::Charged | Self::Refunded => (Self::Refunded, Returned::Refunded),
            Self::Untouched | Self::Authorised | Self::Declined | Self::Voided => (Self::Voided, Returned::Voided),
        }
    }
}
