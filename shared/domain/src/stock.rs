//! A stock shard: a ledger of a few units, and the only four moves there are.
//!
//! | move | from → to | condition |
//! |---|---|---|
//! | claim | available → held | enough available, the shopper has nothing in this shard |
//! | release | held → available | held under this reservation |
//! | sell | held → sold | held under this reservation |
//! | take back | sold → available | sold under this reservation |
//!
//! `available + Σheld + Σsold` is the shard's capacity, for ever. Each move may be repeated: the second time it finds its
//! condition false and says what already happened. `store::stock` runs the same moves as conditional updates; its tests
//! compare the two move by move.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Quantity, ReservationId, ShopperId};

/// A hold without a reservation that is older than this has been abandoned: the function that claimed it has a time-out of
/// 5 s and is dead, its last request was under way for at most 3 s more, and two clocks differ by at most 2 s each way. A younger
/// one may be about to get its reservation. See `docs/adr/0001`.
const CLAIM_SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(5 + 3 + 2 * 2);
/// Grace period: the expiry message or TTL normally ends a hold within it, also by a clock that differs. `reconcile` acts only
/// afterwards.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// Which of a sale's shards, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardNumber(pub u32);

impl fmt::Display for ShardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Units held for a shopper until `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The reservation that holds them.
    pub reservation: ReservationId,
    /// Units, 1–10.
    pub quantity: Quantity,
    /// When the hold was to end as it was made, a whole second. A hold that is being paid may be kept longer.
    pub expires_at: Timestamp,
}

impl Hold {
    /// From here on, a hold without a reservation stays without one: no run can write it any more.
    #[must_use]
    pub fn settles_at(&self) -> Timestamp {
        self.reservation.made_at().checked_add(CLAIM_SETTLES_AFTER).unwrap_or(Timestamp::MAX)
    }

    /// Whether the expiry message or TTL should have ended this hold by `now`. Its reservation decides whether it has ended.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let due = self.expires_at.checked_add(OVERDUE_AFTER).unwrap_or(Timestamp::MAX);
        due.max(self.settles_at()) <= now
    }
}

/// Units sold to a shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The reservation, and so the order, that they were sold by.
    pub reservation: ReservationId,
    /// Units, 1–10.
    pub quantity: Quantity,
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The units are held under the claimed reservation, by this claim or by an earlier run of it.
    Claimed,
    /// The shopper holds units of this shard under another reservation.
    AlreadyHeld(Hold),
    /// The shopper has bought from this shard.
    AlreadySold(Sold),
    /// Fewer units than asked for.
    NotEnough {
        /// Units that the shard has left.
        available: u32,
    },
}

/// What came of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The units are available again.
    Released,
    /// Nothing is held under this reservation: released before, sold, or never claimed.
    NotHeld,
}

/// What came of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SellOutcome {
    /// The units are sold under this reservation, by this run or an earlier one.
    Sold,
    /// They were neither held nor sold under this reservation.
    HoldLost,
}

/// What came of taking units back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeBackOutcome {
    /// The units are available again.
    TakenBack,
    /// Nothing is sold under this reservation: taken back before, or never sold.
    NotSold,
}

/// One shard's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockShard {
    capacity: u32,
    available: u32,
    held: BTreeMap<ShopperId, Hold>,
    sold: BTreeMap<ShopperId, Sold>,
}

impl StockShard {
    /// A shard of `capacity` units, all available.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        Self { capacity, available: capacity, held: BTreeMap::new(), sold: BTreeMap::new() }
    }

    /// A shard as it was read. Whether it adds up is for [`StockShard::is_balanced`] to say.
    #[must_use]
    pub fn from_parts(capacity: u32, available: u32, held: BTreeMap<ShopperId, Hold>, sold: BTreeMap<ShopperId, Sold>) -> Self {
        Self { capacity, available, held, sold }
    }

    /// Units that the shard was made with.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Units that can be claimed.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.available
    }

    /// Who holds what.
    #[must_use]
    pub fn held(&self) -> &BTreeMap<ShopperId, Hold> {
        &self.held
    }

    /// Who bought what.
    #[must_use]
    pub fn sold(&self) -> &BTreeMap<ShopperId, Sold> {
        &self.sold
    }

    /// Units held.
    #[must_use]
    pub fn held_units(&self) -> u32 {
        self.held.values().map(|hold| hold.quantity.units()).sum()
    }

    /// Units sold.
    #[must_use]
    pub fn sold_units(&self) -> u32 {
        self.sold.values().map(|sold| sold.quantity.units()).sum()
    }

    /// The earliest end of a hold.
    #[must_use]
    pub fn next_hold_ends_at(&self) -> Option<Timestamp> {
        self.held.values().map(|hold| hold.expires_at).min()
    }

    /// `available + Σheld + Σsold = capacity`.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.available + self.held_units() + self.sold_units() == self.capacity
    }

    /// Why a claim of `hold` is refused, or that it has happened already; `None` when its condition holds.
    #[must_use]
    pub fn claim_refusal(&self, shopper: &ShopperId, hold: &Hold) -> Option<ClaimOutcome> {
        if let Some(held) = self.held.get(shopper) {
            let repeated = held.reservation == hold.reservation;
            return Some(if repeated { ClaimOutcome::Claimed } else { ClaimOutcome::AlreadyHeld(held.clone()) });
        }
        if let Some(sold) = self.sold.get(shopper) {
            return Some(ClaimOutcome::AlreadySold(sold.clone()));
        }
        (self.available < hold.quantity.units()).then_some(ClaimOutcome::NotEnough { available: self.available })
    }

    /// available → held.
    pub fn claim(&mut self, shopper: &ShopperId, hold: Hold) -> ClaimOutcome {
        if let Some(refusal) = self.claim_refusal(shopper, &hold) {
            return refusal;
        }
        self.available -= hold.quantity.units();
        self.held.insert(shopper.clone(), hold);
        ClaimOutcome::Claimed
    }

    /// held → available.
    pub fn release(&mut self, shopper: &ShopperId, reservation: &ReservationId) -> ReleaseOutcome {
        match self.held.get(shopper) {
            Some(hold) if hold.reservation == *reservation => {
                self.available += hold.quantity.units();
                self.held.remove(shopper);
                ReleaseOutcome::Released
            }
            Some(_) | None => ReleaseOutcome::NotHeld,
        }
    }

    /// held → sold.
    pub fn sell(&mut self, shopper: &ShopperId, reservation: &ReservationId) -> SellOutcome {
        match self.held.get(shopper) {
            Some(hold) if hold.reservation == *reservation => {
                self.sold.insert(shopper.clone(), Sold { reservation: hold.reservation.clone(), quantity: hold.quantity });
                self.held.remove(shopper);
                SellOutcome::Sold
            }
            Some(_) | None => self.sell_refusal(shopper, reservation),
        }
    }

    /// What a sale that finds nothing held may conclude.
    #[must_use]
    pub fn sell_refusal(&self, shopper: &ShopperId, reservation: &ReservationId) -> SellOutcome {
        let repeated = self.sold.get(shopper).is_some_and(|sold| sold.reservation == *reservation);
        if repeated { SellOutcome::Sold } else { SellOutcome::HoldLost }
    }

    /// sold → available.
    pub fn take_back(&mut self, shopper: &ShopperId, reservation: &ReservationId) -> TakeBackOutcome {
        match self.sold.get(shopper) {
            Some(sold) if sold.reservation == *reservation => {
                self.available += sold.quantity.units();
                self.sold.remove(shopper);
                TakeBackOutcome::TakenBack
            }
            Some(_) | None => TakeBackOutcome::NotSold,
        }
    }
}

#[cfg(test)]
mod tests;
