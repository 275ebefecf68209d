//! A sale: what is sold, when, how the stock is spread over shards, and what readers know of the stock left.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Money, ProductId, Quantity, ShardNumber, ShopperId, StockShard};

/// Units of one shard unless the sale says otherwise: a shard with 25 holds is a DynamoDB item of about 2 KB.
pub const UNITS_PER_SHARD: u32 = 25;

/// How shoppers are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Admission {
    /// First come, first served.
    #[default]
    Fcfs,
}

/// A sale as an operator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleDraft {
    /// What is sold, for people.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// A picture of it.
    pub image_url: Option<String>,
    /// The price of one unit.
    pub price: Money,
    /// Units to sell, 1–1,000,000.
    pub units: u32,
    /// When it opens.
    pub starts_at: Timestamp,
    /// When it closes.
    pub ends_at: Timestamp,
    /// How long a hold lasts, 5–3,600 s.
    pub hold_seconds: u32,
    /// How many units one shopper may take.
    pub max_per_shopper: Quantity,
    /// How shoppers are let in.
    pub admission: Admission,
    /// Number of shards; by default one for every [`UNITS_PER_SHARD`] units.
    pub shards: Option<u32>,
}

/// What is wrong with a draft: the member and what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{should_be}")]
pub struct SaleError {
    /// The member at fault.
    pub field: &'static str,
    /// What it should be.
    pub should_be: &'static str,
}

impl SaleDraft {
    /// Checks every limit.
    ///
    /// # Errors
    /// Names the first member that is out of its limits.
    pub fn check(&self) -> Result<(), SaleError> {
        let fail = |field, should_be| Err(SaleError { field, should_be });
        let text = |text: &str, max: usize| {
            !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
        };
        let largest_order = self.price.times(self.max_per_shopper.units());
        if !text(&self.name, 200) {
            return fail("name", "name is 1 to 200 characters of text");
        }
        if self.description.as_deref().is_some_and(|d| d.chars().count() > 4_000) {
            return fail("description", "description is at most 4,000 characters");
        }
        if self.image_url.as_deref().is_some_and(|url| !text(url, 2_000) || !url.starts_with("https://")) {
            return fail("image_url", "image_url is an https:// address of at most 2,000 characters");
        }
        if largest_order.is_err() {
            return fail("price", "price times max_per_shopper is more than can be charged at once");
        }
        if !(1..=1_000_000).contains(&self.units) {
            return fail("units", "units is a whole number from 1 to 1,000,000");
        }
        if self.ends_at <= self.starts_at {
            return fail("ends_at", "ends_at is later than starts_at");
        }
        if !(5..=3_600).contains(&self.hold_seconds) {
            return fail("hold_seconds", "hold_seconds is a whole number from 5 to 3,600");
        }
        match self.shards {
            Some(shards)
                if shards == 0 || shards > self.units || self.units.div_ceil(shards) > ShardLayout::MAX_UNITS_PER_SHARD =>
            {
                fail("shards", "shards is at least 1, at most the number of units, and leaves at most 100 units to a shard")
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How the units are spread.
    #[must_use]
    pub fn layout(&self) -> ShardLayout {
        ShardLayout { units: self.units, shards: self.shards.unwrap_or_else(|| self.units.div_ceil(UNITS_PER_SHARD)).max(1) }
    }
}

/// How many units are spread over how many shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardLayout {
    /// All units.
    pub units: u32,
    /// All shards; at least one.
    pub shards: u32,
}

impl ShardLayout {
    /// A shard with 100 holds is an item of about 8 KB: what one shard may have at most.
    pub const MAX_UNITS_PER_SHARD: u32 = 100;

    /// Units that shard `shard` is made with: as even as can be, the first shards one more.
    #[must_use]
    pub fn capacity_of(self, shard: ShardNumber) -> u32 {
        let extra = u32::from(shard.0 < self.units % self.shards);
        self.units / self.shards + extra
    }

    /// All shards.
    pub fn numbers(self) -> impl Iterator<Item = ShardNumber> {
        (0..self.shards).map(ShardNumber)
    }

    /// The shard where a shopper tries first.
    #[must_use]
    pub fn home_of(self, product: &ProductId, shopper: &ShopperId) -> ShardNumber {
        let hash = spread(product, shopper, u32::MAX) % u64::from(self.shards);
        ShardNumber(u32::try_from(hash).unwrap_or(0))
    }
}

/// A hash of a shopper in a sale and a shard: FNV-1a (Fowler, Noll, Vo), finished by the mixer of `SplitMix64` (Steele, Lea,
/// Flood 2014), since FNV alone leaves the low bits of similar names similar. Written out here because it must stay the
/// same for the length of a sale, across functions and their versions.
fn spread(product: &ProductId, shopper: &ShopperId, shard: u32) -> u64 {
    let bytes = product.as_str().bytes().chain([0]).chain(shopper.as_str().bytes()).chain(shard.to_le_bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What an operator, or its making, has made of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleStatus {
    /// Its shards are being written: nothing can be reserved yet.
    Preparing,
    /// Follows its times.
    Active,
    /// Stopped for now.
    Paused,
    /// Stopped for good.
    Closed,
}

/// `state` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// Not open yet.
    Scheduled,
    /// Units can be reserved.
    Open,
    /// Stopped for now.
    Paused,
    /// Open, and no unit is available. Units may come back while some are held.
    SoldOut,
    /// Over.
    Ended,
}

/// Why nothing can be reserved, whatever the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReservable {
    /// Opens later.
    NotStarted {
        /// When.
        starts_at: Timestamp,
    },
    /// Stopped for now.
    Paused,
    /// Over.
    Ended,
    /// More than one shopper may have.
    QuantityNotAllowed {
        /// What is allowed.
        max_per_shopper: Quantity,
    },
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Identity.
    pub product: ProductId,
    /// As the operator described it.
    pub draft: SaleDraft,
    /// How the units are spread, as it was when the sale was written.
    pub layout: ShardLayout,
    /// What has been made of it.
    pub status: SaleStatus,
}

impl Sale {
    /// Where the sale stands at `now` with `available` units known to be left.
    #[must_use]
    pub fn state(&self, now: Timestamp, available: u32) -> SaleState {
        if now >= self.draft.ends_at {
            return SaleState::Ended;
        }
        match self.status {
            SaleStatus::Closed => SaleState::Ended,
            SaleStatus::Paused => SaleState::Paused,
            SaleStatus::Preparing => SaleState::Scheduled,
            SaleStatus::Active if now < self.draft.starts_at => SaleState::Scheduled,
            SaleStatus::Active if available == 0 => SaleState::SoldOut,
            SaleStatus::Active => SaleState::Open,
        }
    }

    /// Whether `quantity` units may be asked for at `now`.
    ///
    /// # Errors
    /// Says why not.
    pub fn accepts(&self, quantity: Quantity, now: Timestamp) -> Result<(), NotReservable> {
        match self.state(now, u32::MAX) {
            SaleState::Scheduled => Err(NotReservable::NotStarted { starts_at: self.draft.starts_at }),
            SaleState::Paused => Err(NotReservable::Paused),
            SaleState::Ended => Err(NotReservable::Ended),
            SaleState::Open | SaleState::SoldOut if quantity > self.draft.max_per_shopper => {
                Err(NotReservable::QuantityNotAllowed { max_per_shopper: self.draft.max_per_shopper })
            }
            SaleState::Open | SaleState::SoldOut => Ok(()),
        }
    }
}

/// What readers know of a sale's stock: derived from the shards, up to a second old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// When it was derived.
    pub as_of: Timestamp,
    /// Rises with every write.
    pub version: u64,
    /// Available units of each shard.
    pub free: Vec<u8>,
    /// Held units of each shard.
    pub held: Vec<u8>,
    /// All units of the sale.
    pub units: u32,
    /// No hold that is known ends before this.
    pub next_hold_ends_at: Option<Timestamp>,
    /// Somebody has read every shard and found all of them empty, after `as_of`.
    pub sold_out_at: Option<Timestamp>,
}

impl Availability {
    /// A sale before its first claim.
    #[must_use]
    pub fn untouched(layout: ShardLayout, as_of: Timestamp) -> Self {
        let free = layout.numbers().map(|shard| byte(layout.capacity_of(shard))).collect::<Vec<_>>();
        let held = vec![0; free.len()];
        Self { as_of, version: 1, free, held, units: layout.units, next_hold_ends_at: None, sold_out_at: None }
    }

    /// Units that can be claimed.
    #[must_use]
    pub fn available(&self) -> u32 {
        if self.sold_out_at.is_some() { 0 } else { self.free.iter().map(|units| u32::from(*units)).sum() }
    }

    /// Units held.
    #[must_use]
    pub fn held_units(&self) -> u32 {
        self.held.iter().map(|units| u32::from(*units)).sum()
    }

    /// Units sold.
    #[must_use]
    pub fn sold_units(&self) -> u32 {
        let free: u32 = self.free.iter().map(|units| u32::from(*units)).sum();
        self.units.saturating_sub(free).saturating_sub(self.held_units())
    }

    /// Available units of one shard, if it is known.
    #[must_use]
    pub fn free_in(&self, shard: ShardNumber) -> Option<u32> {
        let index = usize::try_from(shard.0).ok()?;
        self.free.get(index).map(|units| u32::from(*units))
    }

    /// Whether some shard has `quantity` units left.
    #[must_use]
    pub fn promises(&self, quantity: Quantity) -> bool {
        self.sold_out_at.is_none() && self.free.iter().any(|units| u32::from(*units) >= quantity.units())
    }

    /// The `most` shards with `quantity` units left that `shopper` should try, in an order of the shopper's own, so that a
    /// crowd spreads (rendezvous hashing: Thaler and Ravishankar 1998).
    #[must_use]
    pub fn candidates(&self, product: &ProductId, shopper: &ShopperId, quantity: Quantity, most: usize) -> Vec<ShardNumber> {
        if self.sold_out_at.is_some() {
            return Vec::new();
        }
        let mut weighed: Vec<(u64, u32)> = (0u32..)
            .zip(&self.free)
            .filter(|(_, units)| u32::from(**units) >= quantity.units())
            .map(|(shard, _)| (spread(product, shopper, shard), shard))
            .collect();
        weighed.sort_unstable();
        weighed.into_iter().take(most).map(|(_, shard)| ShardNumber(shard)).collect()
    }

    /// Takes in what a shard is now; a unit that is there again ends the sold-out mark. Repeating it, or taking in an older
    /// state and then a newer one, leaves the same units.
    pub fn fold(&mut self, number: ShardNumber, shard: &StockShard) {
        let Ok(index) = usize::try_from(number.0) else { return };
        if index >= self.free.len() {
            self.free.resize(index + 1, 0);
            self.held.resize(index + 1, 0);
        }
        if let (Some(free), Some(held)) = (self.free.get_mut(index), self.held.get_mut(index)) {
            *free = byte(shard.available());
            *held = byte(shard.held_units());
        }
        // Only a unit that is seen in this shard ends the mark: whoever set it had read every shard, and what is known of
        // the others may be older than that.
        if shard.available() > 0 {
            self.sold_out_at = None;
        }
        self.next_hold_ends_at = match (self.next_hold_ends_at, shard.next_hold_ends_at()) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
    }

    /// Ends a fold at `now`: the next version, without an end of a hold that has passed.
    pub fn stamp(&mut self, now: Timestamp) {
        self.as_of = now;
        self.version += 1;
        if self.held_units() == 0 || self.next_hold_ends_at.is_some_and(|end| end <= now) {
            self.next_hold_ends_at = None;
        }
    }
}

/// A shard's units as the byte that the availability item has for each; a shard has at most 100 (see [`SaleDraft::check`]).
fn byte(units: u32) -> u8 {
    u8::try_from(units).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn draft(units: u32) -> SaleDraft {
        SaleDraft {
            name: "Phone".into(),
            description: None,
            image_url: None,
            price: Money::new(99_900, "USD".parse().unwrap()).unwrap(),
            units,
            starts_at: at("2026-11-20T12:00:00Z"),
            ends_at: at("2026-11-20T13:00:00Z"),
            hold_seconds: 300,
            max_per_shopper: Quantity::new(2).unwrap(),
            admission: Admission::Fcfs,
            shards: None,
        }
    }

    fn sale(status: SaleStatus) -> Sale {
        let draft = draft(100);
        Sale { product: "demo".parse().unwrap(), layout: draft.layout(), draft, status }
    }

    #[test]
    fn a_sale_follows_its_times_and_its_operator() {
        let (before, during, after) = (at("2026-11-20T11:59:59.999Z"), at("2026-11-20T12:00:00Z"), at("2026-11-20T13:00:00Z"));
        for (status, now, available, state) in [
            (SaleStatus::Active, before, 5, SaleState::Scheduled),
            (SaleStatus::Active, during, 5, SaleState::Open),
            (SaleStatus::Active, during, 0, SaleState::SoldOut),
            (SaleStatus::Active, after, 5, SaleState::Ended),
            (SaleStatus::Paused, during, 5, SaleState::Paused),
            (SaleStatus::Paused, after, 5, SaleState::Ended),
            (SaleStatus::Closed, during, 5, SaleState::Ended),
            (SaleStatus::Preparing, during, 5, SaleState::Scheduled),
        ] {
            assert_eq!(sale(status).state(now, available), state, "{status:?} at {now}");
        }
    }

    #[test]
    fn a_sale_says_why_it_does_not_accept() {
        let during = at("2026-11-20T12:00:00Z");
        let three = Quantity::new(3).unwrap();
        let active = sale(SaleStatus::Active);
        assert_eq!(active.accepts(Quantity::ONE, during), Ok(()));
        assert_eq!(
            active.accepts(three, during),
            Err(NotReservable::QuantityNotAllowed { max_per_shopper: Quantity::new(2).unwrap() })
        );
        assert_eq!(active.accepts(three, at("2026-11-20T11:00:00Z")), Err(NotReservable::NotStarted { starts_at: during }));
        assert_eq!(sale(SaleStatus::Paused).accepts(Quantity::ONE, during), Err(NotReservable::Paused));
        assert_eq!(sale(SaleStatus::Closed).accepts(Quantity::ONE, during), Err(NotReservable::Ended));
    }

    #[test]
    fn a_draft_out_of_its_limits_names_the_member() {
        assert_eq!(draft(100).check(), Ok(()));
        let cases = [
            (SaleDraft { name: " ".into(), ..draft(1) }, "name"),
            (SaleDraft { image_url: Some("http://x".into()), ..draft(1) }, "image_url"),
            (draft(0), "units"),
            (draft(1_000_001), "units"),
            (SaleDraft { ends_at: draft(1).starts_at, ..draft(1) }, "ends_at"),
            (SaleDraft { hold_seconds: 4, ..draft(1) }, "hold_seconds"),
            (SaleDraft { hold_seconds: 3_601, ..draft(1) }, "hold_seconds"),
            (SaleDraft { shards: Some(0), ..draft(10) }, "shards"),
            (SaleDraft { shards: Some(11), ..draft(10) }, "shards"),
            (SaleDraft { shards: Some(1), ..draft(101) }, "shards"),
            (SaleDraft { price: Money::new(Money::MAX_MINOR, "USD".parse().unwrap()).unwrap(), ..draft(1) }, "price"),
        ];
        for (draft, field) in cases {
            assert_eq!(draft.check().map_err(|e| e.field), Err(field));
        }
    }

    #[test]
    fn a_thousand_units_are_forty_shards_and_a_hundred_thousand_four_thousand() {
        assert_eq!(draft(1_000).layout().shards, 40);
        assert_eq!(draft(100_000).layout().shards, 4_000);
        assert_eq!(draft(10).layout().shards, 1);
    }

    proptest! {
        #[test]
        fn a_layout_spreads_every_unit(units in 1u32..5_000, shards in 1u32..300) {
            let layout = ShardLayout { units, shards: shards.min(units) };
            let capacities: Vec<u32> = layout.numbers().map(|n| layout.capacity_of(n)).collect();
            prop_assert_eq!(capacities.iter().sum::<u32>(), units);
            prop_assert!(capacities.iter().max().unwrap() - capacities.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn homes_of_similar_shoppers_spread() {
        let layout = ShardLayout { units: 1_000, shards: 40 };
        let product = "demo".parse().unwrap();
        let mut shoppers_at = [0u32; 40];
        for n in 0..40_000 {
            let home = layout.home_of(&product, &format!("shopper-{n}").parse().unwrap());
            shoppers_at[usize::try_from(home.0).unwrap()] += 1;
        }
        // 1,000 each on average; five standard deviations are 156.
        assert!(shoppers_at.iter().all(|count| (840..1_160).contains(count)), "{shoppers_at:?}");
    }

    #[test]
    fn candidates_have_enough_left_and_differ_from_shopper_to_shopper() {
        let mut availability = Availability::untouched(ShardLayout { units: 1_000, shards: 40 }, at("2026-11-20T12:00:00Z"));
        for shard in 0..20 {
            availability.fold(ShardNumber(shard), &StockShard::from_parts(25, 1, [].into(), [].into()));
        }
        let product = "demo".parse().unwrap();
        let two = Quantity::new(2).unwrap();
        let orders: BTreeSet<Vec<ShardNumber>> = (0..100)
            .map(|n| availability.candidates(&product, &format!("shopper-{n}").parse().unwrap(), two, 4))
            .inspect(|order| assert!(order.len() == 4 && order.iter().all(|shard| shard.0 >= 20), "{order:?}"))
            .collect();
        assert!(orders.len() > 90, "only {} different orders", orders.len());
    }

    #[test]
    fn folding_the_same_shard_again_changes_nothing_and_units_that_return_end_the_mark() {
        let now = at("2026-11-20T12:00:10Z");
        let layout = ShardLayout { units: 50, shards: 2 };
        let mut availability = Availability::untouched(layout, at("2026-11-20T12:00:00Z"));
        let empty = StockShard::from_parts(25, 0, [].into(), [].into());
        for shard in [0, 1, 0] {
            availability.fold(ShardNumber(shard), &empty);
        }
        availability.sold_out_at = Some(now);
        availability.stamp(now);
        assert_eq!((availability.available(), availability.held_units(), availability.sold_units()), (0, 0, 50));
        assert!(availability.sold_out_at.is_some(), "nothing came back");
        availability.free = vec![0, 7];
        availability.fold(ShardNumber(0), &empty);
        availability.stamp(now);
        assert!(availability.sold_out_at.is_some(), "what is known of the other shard is older than the mark");
        availability.fold(ShardNumber(1), &StockShard::from_parts(25, 1, [].into(), [].into()));
        availability.stamp(now);
        assert_eq!((availability.available(), availability.sold_out_at), (1, None));
    }
}
