//! Operators' refunds of a completed order. Each reserves its amount in the order before a gateway is asked, so all of them
//! together never exceed the price.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Money, Order, OrderStatus, OrderStep,
    text_form::{is_printable, short_text},
};

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 64 printable ASCII characters, such as a UUID")]
pub struct RefundKeyError;

/// Identifies a refund of an order: an operator's `Idempotency-Key`. A repetition has the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RefundKey(String);

impl RefundKey {
    /// The longest key, in characters.
    pub const MAX_LENGTH: usize = 64;
}

short_text!(RefundKey, RefundKeyError: RefundKeyError, is_printable);

/// A refund that an operator requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Its identity.
    pub key: RefundKey,
    /// The amount; `None`: all that is left.
    pub amount: Option<Money>,
    /// The units become available again once all of the price is refunded. Only with all that is left.
    pub return_unit: bool,
}

/// The state of one refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Its amount is reserved. The gateway has not confirmed it.
    Pending,
    /// The gateway has refunded the amount.
    Refunded,
    /// The gateway has refused it. Its amount can be refunded again.
    Failed,
}

/// One refund of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its identity.
    pub key: RefundKey,
    /// What goes back to the shopper.
    pub amount: Money,
    /// The operator named no amount: it is what was left.
    pub is_rest: bool,
    /// The units become available again once all of the price is refunded.
    pub return_unit: bool,
    /// Its state.
    pub status: RefundStatus,
    /// Why the gateway refused it, for operators.
    pub reason: Option<String>,
    /// When the operator requested it.
    pub at: Timestamp,
}

/// The refunds of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refunds {
    /// Oldest first. A refund keeps its place.
    pub all: Vec<Refund>,
    /// The number of writes that changed them, or recorded that their shopper was told of them. A write applies only to the
    /// revision that it was decided on.
    pub revision: u32,
}

/// Why no refund is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// The order is not completed: nothing was captured, or all of it was refunded.
    #[error("the order is not completed")]
    NotCompleted,
    /// The key belongs to a refund of another amount, or with another `return_unit`.
    #[error("the key belongs to another refund")]
    KeyReused,
    /// The amount exceeds what is neither refunded nor reserved by a pending refund, or has another currency.
    #[error("the amount exceeds what is left")]
    TooMuch {
        /// What is left, in minor units.
        left_minor: i64,
    },
    /// The order had [`Refunds::MOST`] refunds.
    #[error("too many refunds")]
    TooMany,
}

impl Refunds {
    /// Refunds per order at most, with those that failed: each adds about 150 bytes to the order.
    pub const MOST: usize = 20;
    /// The shortest time between two requests of a pending refund to its gateway by `reconcile`.
    pub const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
    /// The longest of these times.
    const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);

    /// The place of the refund with this key.
    #[must_use]
    pub fn place_of(&self, key: &RefundKey) -> Option<usize> {
        self.all.iter().position(|refund| refund.key == *key)
    }

    /// What the gateways have refunded, in minor units.
    #[must_use]
    pub fn refunded_minor(&self) -> i64 {
        self.sum(&[RefundStatus::Refunded])
    }

    /// The places of the pending refunds.
    pub fn pending(&self) -> impl Iterator<Item = usize> {
        let places = self.all.iter().enumerate().filter(|(_, refund)| refund.status == RefundStatus::Pending);
        places.map(|(place, _)| place)
    }

    /// The sum of the refunds with one of these statuses, in minor units.
    fn sum(&self, of: &[RefundStatus]) -> i64 {
        let counted = self.all.iter().filter(|refund| of.contains(&refund.status));
        counted.map(|refund| refund.amount.amount_minor()).fold(0, i64::saturating_add)
    }

    /// When `reconcile` next asks for the pending refunds, if it does so at `now`: the pause is as long as the youngest of them has
    /// waited, from a minute to six hours. So a new refund of an order with an old one is asked for after a minute, too.
    #[must_use]
    pub fn asked_again_at(&self, now: Timestamp) -> Timestamp {
        let youngest = self.pending().filter_map(|place| self.all.get(place)).map(|refund| refund.at).max().unwrap_or(now);
        let pause = now.duration_since(youngest).clamp(Self::SHORTEST_PAUSE, Self::LONGEST_PAUSE);
        now.checked_add(pause).unwrap_or(Timestamp::MAX)
    }
}

impl Refund {
    /// Whether `request` is the request that this refund was made for.
    fn answers(&self, request: &RefundRequest) -> bool {
        let same_amount = request.amount.map_or(self.is_rest, |amount| !self.is_rest && amount == self.amount);
        same_amount && self.return_unit == request.return_unit
    }
}

impl Order {
    /// The place of the refund that was made for `request` before; `None`: there is none.
    ///
    /// # Errors
    /// [`RefundRefusal::KeyReused`].
    pub fn refund_of(&self, request: &RefundRequest) -> Result<Option<usize>, RefundRefusal> {
        let place = self.refunds.place_of(&request.key);
        let known = place.and_then(|place| self.refunds.all.get(place));
        if known.is_some_and(|known| !known.answers(request)) { Err(RefundRefusal::KeyReused) } else { Ok(place) }
    }

    /// What is neither refunded nor reserved by a pending refund, in minor units. A completed order was captured whole.
    #[must_use]
    pub fn refundable_minor(&self) -> i64 {
        self.amount.amount_minor() - self.refunds.sum(&[RefundStatus::Pending, RefundStatus::Refunded])
    }

    /// The refund to be made for a new `request`.
    ///
    /// # Errors
    /// Every [`RefundRefusal`] but `KeyReused`.
    pub fn new_refund(&self, request: &RefundRequest, now: Timestamp) -> Result<Refund, RefundRefusal> {
        if self.status != OrderStatus::Completed {
            return Err(RefundRefusal::NotCompleted);
        }
        let left_minor = self.refundable_minor();
        let too_much = RefundRefusal::TooMuch { left_minor };
        let left = Money::new(left_minor, self.amount.currency()).map_err(|_| too_much)?;
        let amount = request.amount.unwrap_or(left);
        if amount.currency() != left.currency() || amount.amount_minor() > left_minor {
            return Err(too_much);
        }
        if self.refunds.all.len() >= Refunds::MOST {
            return Err(RefundRefusal::TooMany);
        }
        Ok(Refund {
            key: request.key.clone(),
            amount,
            is_rest: request.amount.is_none(),
            return_unit: request.return_unit,
            status: RefundStatus::Pending,
            reason: None,
            at: now,
        })
    }

    /// The order's step when the pending refund at `place` has been refunded.
    #[must_use]
    pub fn step_after_refund(&self, place: usize) -> OrderStep {
        let this = self.refunds.all.get(place).map_or(0, |refund| refund.amount.amount_minor());
        if self.refunds.sum(&[RefundStatus::Refunded]).saturating_add(this) < self.amount.amount_minor() {
            return OrderStep::PartRefunded;
        }
        let returns = self.refunds.all.iter().any(|refund| refund.return_unit && refund.status != RefundStatus::Failed);
        if returns { OrderStep::PurchaseReturned } else { OrderStep::PriceRefunded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_793_534_400 + second).unwrap()
    }

    fn refund(amount_minor: i64, status: RefundStatus) -> Refund {
        Refund {
            key: "one".parse().unwrap(),
            amount: Money::new(amount_minor, "USD".parse().unwrap()).unwrap(),
            is_rest: false,
            return_unit: false,
            status,
            reason: None,
            at: at(0),
        }
    }

    #[test]
    fn the_pauses_grow_with_the_age_of_the_youngest_pending_refund() {
        let ended = Refund { at: at(9_000), ..refund(1, RefundStatus::Refunded) };
        let older = Refund { at: at(-9_000), ..refund(1, RefundStatus::Pending) };
        let refunds = Refunds { all: vec![older, ended, refund(2, RefundStatus::Pending)], revision: 3 };
        for (now, next) in [(0, 60), (59, 119), (120, 240), (3_600, 7_200), (86_400, 86_400 + 21_600), (-5, 55)] {
            assert_eq!(refunds.asked_again_at(at(now)), at(next), "{now}");
        }
        assert_eq!(Refunds::default().asked_again_at(at(7)), at(67));
    }

    #[test]
    fn a_failed_refund_frees_its_amount() {
        let refunds = Refunds {
            all: vec![refund(5, RefundStatus::Failed), refund(2, RefundStatus::Pending), refund(1, RefundStatus::Refunded)],
            revision: 0,
        };
        assert_eq!(refunds.sum(&[RefundStatus::Pending, RefundStatus::Refunded]), 3);
        assert_eq!(refunds.pending().collect::<Vec<_>>(), [1]);
    }
}
