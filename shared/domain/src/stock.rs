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

use crate::{ReservationId, ShopperId};

/// A hold without a reservation that is older than this has been abandoned: the function that claimed it has a time-out of
/// 5 s and is dead, its last request was under way for at most 3 s more, and two clocks differ by at most 2 s each way. A younger
/// one may be about to get its reservation. See `docs/adr/0001`.
const CLAIM_SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(5 + 3 + 2 * 2);
/// What is overdue is left to those who come on time, and to clocks that differ, for this long.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// Not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to 10")]
pub struct QuantityError;

/// Units that one shopper takes at once: 1–10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u8);

impl Quantity {
    /// One unit.
    pub const ONE: Self = Self(1);
    /// The most that any sale allows.
    pub const MAX: Self = Self(10);

    /// A quantity.
    ///
    /// # Errors
    /// When `units` is not 1–10.
    pub fn new(units: u32) -> Result<Self, QuantityError> {
        match u8::try_from(units) {
            Ok(units @ 1..=10) => Ok(Self(units)),
            Ok(_) | Err(_) => Err(QuantityError),
        }
    }

    /// The number of units.
    #[must_use]
    pub fn units(self) -> u32 {
        u32::from(self.0)
    }
}

impl TryFrom<u32> for Quantity {
    type Error = QuantityError;
    fn try_from(units: u32) -> Result<Self, QuantityError> {
        Self::new(units)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> u32 {
        quantity.units()
    }
}

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
    /// How many.
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

    /// Whether whoever was to end this hold should have done so by `now`. Its reservation has the last word.
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
    /// How many.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Move {
        Claim { quantity: u32 },
        Release,
        Sell,
        TakeBack,
    }

    fn moves() -> impl Strategy<Value = Vec<(u8, u8, Move)>> {
        let a_move = prop_oneof![
            3 => (1u32..=10).prop_map(|quantity| Move::Claim { quantity }),
            2 => Just(Move::Release),
            2 => Just(Move::Sell),
            1 => Just(Move::TakeBack),
        ];
        prop::collection::vec((0u8..4, 0u8..3, a_move), 1..80)
    }

    fn shopper(n: u8) -> ShopperId {
        format!("shopper-{n}").parse().unwrap()
    }

    fn reservation(shopper: u8, n: u8) -> ReservationId {
        format!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2{shopper}0{n}").parse().unwrap()
    }

    fn hold(shopper: u8, n: u8, quantity: u32) -> Hold {
        Hold {
            reservation: reservation(shopper, n),
            quantity: Quantity::new(quantity).unwrap(),
            expires_at: Timestamp::from_second(1_000).unwrap(),
        }
    }

    fn apply(shard: &mut StockShard, who: u8, id: u8, a_move: &Move) -> String {
        let (shopper, reservation) = (shopper(who), reservation(who, id));
        match a_move {
            Move::Claim { quantity } => format!("{:?}", shard.claim(&shopper, hold(who, id, *quantity))),
            Move::Release => format!("{:?}", shard.release(&shopper, &reservation)),
            Move::Sell => format!("{:?}", shard.sell(&shopper, &reservation)),
            Move::TakeBack => format!("{:?}", shard.take_back(&shopper, &reservation)),
        }
    }

    proptest! {
        #[test]
        fn no_sequence_of_moves_makes_or_loses_a_unit(capacity in 0u32..30, moves in moves()) {
            let mut shard = StockShard::new(capacity);
            for (who, id, a_move) in &moves {
                apply(&mut shard, *who, *id, a_move);
                prop_assert!(shard.is_balanced(), "{:?}", shard);
                prop_assert_eq!(shard.capacity(), capacity);
            }
        }

        #[test]
        fn a_repeated_move_changes_nothing(capacity in 0u32..30, moves in moves()) {
            let mut shard = StockShard::new(capacity);
            for (who, id, a_move) in &moves {
                apply(&mut shard, *who, *id, a_move);
                let once = shard.clone();
                apply(&mut shard, *who, *id, a_move);
                prop_assert_eq!(&shard, &once, "{:?} twice", a_move);
            }
        }

        #[test]
        fn a_move_with_a_stale_reservation_changes_nothing(capacity in 1u32..30, moves in moves()) {
            let mut shard = StockShard::new(capacity);
            for (who, id, a_move) in &moves {
                apply(&mut shard, *who, *id, a_move);
            }
            let before = shard.clone();
            for who in 0..4 {
                for a_move in [Move::Release, Move::Sell, Move::TakeBack] {
                    // Reservations 0–2 were in play; 9 never was.
                    apply(&mut shard, who, 9, &a_move);
                }
            }
            prop_assert_eq!(shard, before);
        }

        #[test]
        fn a_shopper_is_in_the_shard_at_most_once(capacity in 0u32..30, moves in moves()) {
            let mut shard = StockShard::new(capacity);
            for (who, id, a_move) in &moves {
                apply(&mut shard, *who, *id, a_move);
                prop_assert!(shard.held().keys().all(|shopper| !shard.sold().contains_key(shopper)));
            }
        }
    }

    #[test]
    fn a_hold_is_overdue_ten_seconds_after_its_end_and_never_while_its_claim_may_be_unfinished() {
        let made = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse::<ReservationId>().unwrap();
        let after = |seconds| made.made_at() + SignedDuration::from_secs(seconds);
        let hold = |expires_at| Hold { reservation: made.clone(), quantity: Quantity::ONE, expires_at };
        let late = hold(after(300));
        assert!(!late.is_overdue(after(309)) && late.is_overdue(after(310)));
        let ended_before_it_was_made = hold(after(-60));
        assert!(!ended_before_it_was_made.is_overdue(after(11)) && ended_before_it_was_made.is_overdue(after(12)));
        assert_eq!(late.settles_at(), after(12));
    }

    #[test]
    fn every_refusal_of_a_claim_says_which() {
        let mut shard = StockShard::new(3);
        assert_eq!(shard.claim(&shopper(1), hold(1, 1, 2)), ClaimOutcome::Claimed);
        assert_eq!(shard.claim(&shopper(1), hold(1, 1, 2)), ClaimOutcome::Claimed, "the same claim again");
        assert_eq!(shard.claim(&shopper(1), hold(1, 2, 1)), ClaimOutcome::AlreadyHeld(hold(1, 1, 2)));
        assert_eq!(shard.claim(&shopper(2), hold(2, 1, 2)), ClaimOutcome::NotEnough { available: 1 });
        assert_eq!(shard.sell(&shopper(1), &reservation(1, 1)), SellOutcome::Sold);
        assert_eq!(shard.sell(&shopper(1), &reservation(1, 1)), SellOutcome::Sold, "the same sale again");
        assert!(matches!(shard.claim(&shopper(1), hold(1, 2, 1)), ClaimOutcome::AlreadySold(_)));
        assert_eq!(shard.release(&shopper(1), &reservation(1, 1)), ReleaseOutcome::NotHeld, "what is sold is not released");
        assert_eq!(shard.take_back(&shopper(1), &reservation(1, 1)), TakeBackOutcome::TakenBack);
        assert_eq!(shard.sell(&shopper(1), &reservation(1, 1)), SellOutcome::HoldLost);
        assert_eq!(shard, StockShard::new(3));
    }
}
