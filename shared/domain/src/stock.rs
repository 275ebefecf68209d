//! A stock shard: a ledger of a few units, and the four moves that change it.
//!
//! | move | from → to | condition |
//! |---|---|---|
//! | claim | available → held | enough units available; the shopper has no entry in this shard |
//! | release | held → available | held under this reservation; if its hold has ended: by a claim that ended as early |
//! | sell | held → sold | held under this reservation |
//! | take back | sold → available | sold under this reservation |
//!
//! `available + Σheld + Σsold` always equals the shard's capacity. Each move may be repeated: the second time its
//! condition is false, and the outcome says what already happened. `store::stock` runs the same moves as conditional
//! updates; its tests compare the two move by move.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Quantity, ReservationId, ShopperId};

/// A hold without a reservation that is older than this is abandoned. The function that claimed it has a time-out of 5
/// s and is dead, its last request ran for at most 3 s more, and two clocks differ by at most 2 s each way. A younger
/// hold may still get its reservation. See `docs/adr/0001`.
const CLAIM_SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(5 + 3 + 2 * 2);
/// Grace period: the expiry message or TTL normally ends a hold within it, even if clocks differ. `reconcile` acts only
/// afterwards.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// The number of a shard in its sale, from 0.
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
    /// The reservation that holds the units.
    pub reservation: ReservationId,
    /// Units, 1–10.
    pub quantity: Quantity,
    /// The end of the hold when it was made, a whole second. A hold that is being paid may last longer.
    pub expires_at: Timestamp,
}

impl Hold {
    /// From this time on, a hold without a reservation never gets one: no run can write it any more.
    #[must_use]
    pub fn settles_at(&self) -> Timestamp {
        self.reservation.made_at().checked_add(CLAIM_SETTLES_AFTER).unwrap_or(Timestamp::MAX)
    }

    /// Whether the expiry message or TTL should have ended this hold by `now`. Whether it has ended depends on its
    /// reservation.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let due = self.expires_at.checked_add(OVERDUE_AFTER).unwrap_or(Timestamp::MAX);
        due.max(self.settles_at()) <= now
    }
}

/// Units sold to a shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The reservation, and so the order, by which they were sold.
    pub reservation: ReservationId,
    /// Units, 1–10.
    pub quantity: Quantity,
}

/// The outcome of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The units are held under the claimed reservation, by this claim or by an earlier run of it.
    Claimed,
    /// The shopper holds units of this shard by another claim.
    AlreadyHeld(Hold),
    /// The shopper has bought from this shard.
    AlreadySold(Sold),
    /// The shard has fewer units than requested.
    NotEnough {
        /// Units that the shard has left.
        available: u32,
    },
}

/// The outcome of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The units are available again.
    Released,
    /// Nothing is held under this reservation: released before, sold, or never claimed.
    NotHeld,
}

/// The outcome of the move `sell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SellOutcome {
    /// The units are sold under this reservation, by this run or an earlier one.
    Sold,
    /// The units were neither held nor sold under this reservation.
    HoldLost,
}

/// The outcome of taking units back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeBackOutcome {
    /// The units are available again.
    TakenBack,
    /// Nothing is sold under this reservation: taken back before, or never sold.
    NotSold,
}

/// The ledger of one shard.
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

    /// A shard as it was read. It may not add up: see [`StockShard::is_balanced`].
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

    /// The holds, by shopper.
    #[must_use]
    pub fn held(&self) -> &BTreeMap<ShopperId, Hold> {
        &self.held
    }

    /// The purchases, by shopper.
    #[must_use]
    pub fn sold(&self) -> &BTreeMap<ShopperId, Sold> {
        &self.sold
    }

    /// The units of all holds, also of those that are overdue.
    #[must_use]
    pub fn held_units(&self) -> u32 {
        self.held.values().map(|hold| hold.quantity.units()).sum()
    }

    /// The units of all purchases.
    #[must_use]
    pub fn sold_units(&self) -> u32 {
        self.sold.values().map(|sold| sold.quantity.units()).sum()
    }

    /// The earliest end of a hold.
    #[must_use]
    pub fn next_hold_ends_at(&self) -> Option<Timestamp> {
        self.held.values().map(|hold| hold.expires_at).min()
    }

    /// When half of the held units are back, or more, if nobody pays.
    #[must_use]
    pub fn half_end_at(&self) -> Option<Timestamp> {
        half_end(self.held.values().map(|hold| (hold.expires_at, hold.quantity.units())))
    }

    /// `available + Σheld + Σsold = capacity`.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.available + self.held_units() + self.sold_units() == self.capacity
    }

    /// Why a claim of `hold` is refused, or that it has happened already; `None` when its condition is true.
    #[must_use]
    pub fn claim_refusal(&self, shopper: &ShopperId, hold: &Hold) -> Option<ClaimOutcome> {
        if let Some(held) = self.held.get(shopper) {
            let repeated = held.reservation == hold.reservation && held.expires_at == hold.expires_at;
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

    /// held → available, if the units were claimed until `ended_at` at the latest. An order that is paid late claims again under
    /// its reservation's id, until a later time: these units stay.
    pub fn release_ended(&mut self, shopper: &ShopperId, reservation: &ReservationId, ended_at: Timestamp) -> ReleaseOutcome {
        match self.held.get(shopper) {
            Some(hold) if hold.expires_at <= ended_at => self.release(shopper, reservation),
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

    /// The outcome of the move `sell` when nothing is held under `reservation`: a repetition, or the hold is lost.
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

/// The weighted median of the ends of holds, each with its units: the first end at which half of all units are back, or more.
pub(crate) fn half_end(ends: impl IntoIterator<Item = (Timestamp, u32)>) -> Option<Timestamp> {
    let mut ends: Vec<(Timestamp, u32)> = ends.into_iter().filter(|(_, units)| *units > 0).collect();
    ends.sort_unstable();
    let all: u64 = ends.iter().map(|(_, units)| u64::from(*units)).sum();
    let mut back = 0;
    ends.into_iter()
        .find(|(_, units)| {
            back += u64::from(*units);
            2 * back >= all
        })
        .map(|(end, _)| end)
}

#[cfg(test)]
mod tests;
