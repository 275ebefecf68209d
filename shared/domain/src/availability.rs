//! The availability of a sale's stock: what readers see, and what `reserve` answers losers from.

use jiff::Timestamp;

use crate::{ProductId, Quantity, ShardLayout, ShardNumber, ShopperId, StockShard, layout::spread, stock::half_end};

/// A sale's stock as readers see it: derived from the shards, up to a second old.
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
    /// When half of the held units of each shard are back, if nobody pays. `None`: none is held, or the end is not known.
    pub half_ends: Vec<Option<Timestamp>>,
    /// All units of the sale.
    pub units: u32,
    /// No known hold ends before this time.
    pub next_hold_ends_at: Option<Timestamp>,
    /// When a run marked the sale as sold out, after `as_of`: it had read every shard and found all of them empty.
    pub sold_out_at: Option<Timestamp>,
}

/// How the available units cover a request. A shopper is served from one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// A shard has as many units.
    Together,
    /// The sale has as many units, but no shard has all of them.
    NotTogether {
        /// The most units that one shard has; at least one.
        largest: u32,
    },
    /// The sale has fewer units.
    SoldOut,
}

impl Availability {
    /// A sale before its first claim.
    #[must_use]
    pub fn untouched(layout: &ShardLayout, as_of: Timestamp) -> Self {
        let free = layout.capacities().map(byte).collect::<Vec<_>>();
        let (held, half_ends) = (vec![0; free.len()], vec![None; free.len()]);
        let units = layout.units();
        Self { as_of, version: 1, free, held, half_ends, units, next_hold_ends_at: None, sold_out_at: None }
    }

    /// Adds the shards of restocks that it does not have yet. All their units count as available, which ends the
    /// sold-out mark. False: there are none to add. [`Availability::fold`] adds what has happened to these shards
    /// since.
    pub fn extend_to(&mut self, layout: &ShardLayout) -> bool {
        let known = self.free.len();
        self.free.extend(layout.capacities().skip(known).map(byte));
        self.held.resize(self.free.len(), 0);
        self.half_ends.resize(self.free.len(), None);
        let is_longer = self.free.len() > known;
        if is_longer {
            self.units = layout.units();
            self.sold_out_at = None;
        }
        is_longer
    }

    /// Units that can be claimed.
    #[must_use]
    pub fn available(&self) -> u32 {
        if self.sold_out_at.is_some() { 0 } else { self.free.iter().map(|units| u32::from(*units)).sum() }
    }

    /// Units held on all shards, as of the time of this item.
    #[must_use]
    pub fn held_units(&self) -> u32 {
        self.held.iter().map(|units| u32::from(*units)).sum()
    }

    /// When about half of the held units are back, if nobody pays: the weighted median of the shards' own medians. At least a
    /// quarter of the units, and at most three quarters, end until then. `None`: nothing is held, or no end is known.
    #[must_use]
    pub fn half_end_at(&self) -> Option<Timestamp> {
        let known = self.half_ends.iter().zip(&self.held);
        half_end(known.filter_map(|(end, units)| end.map(|end| (end, u32::from(*units)))))
    }

    /// Units neither free nor held, as of the time of this item.
    #[must_use]
    pub fn sold_units(&self) -> u32 {
        let free: u32 = self.free.iter().map(|units| u32::from(*units)).sum();
        self.units.saturating_sub(free).saturating_sub(self.held_units())
    }

    /// Available units of one shard; `None` if the shard is not known.
    #[must_use]
    pub fn free_in(&self, shard: ShardNumber) -> Option<u32> {
        let index = usize::try_from(shard.0).ok()?;
        self.free.get(index).map(|units| u32::from(*units))
    }

    /// How the available units cover a request for `quantity` units.
    #[must_use]
    pub fn covers(&self, quantity: Quantity) -> Coverage {
        let largest = if self.sold_out_at.is_some() { 0 } else { self.free.iter().max().copied().map_or(0, u32::from) };
        if largest >= quantity.units() {
            Coverage::Together
        } else if self.available() >= quantity.units() {
            Coverage::NotTogether { largest }
        } else {
            Coverage::SoldOut
        }
    }

    /// Whether any shard has `quantity` units left.
    #[must_use]
    pub fn promises(&self, quantity: Quantity) -> bool {
        self.covers(quantity) == Coverage::Together
    }

    /// Sets the available units of a shard that it knows. A sold-out mark stays.
    pub(crate) fn correct(&mut self, shard: ShardNumber, available: u32) {
        if let Some(free) = usize::try_from(shard.0).ok().and_then(|index| self.free.get_mut(index)) {
            *free = byte(available);
        }
    }

    /// Up to `most` shards with `quantity` units left that `shopper` should try. Each shopper has a different order, so
    /// that a crowd spreads (rendezvous hashing: Thaler and Ravishankar 1998).
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

    /// Sets a shard's units to its current state. An available unit ends the sold-out mark. Folding a state again, or
    /// an older state and then a newer one, gives the same units.
    pub fn fold(&mut self, number: ShardNumber, shard: &StockShard) {
        let Ok(index) = usize::try_from(number.0) else { return };
        if index >= self.free.len() {
            self.free.resize(index + 1, 0);
            self.held.resize(index + 1, 0);
        }
        self.half_ends.resize(self.free.len(), None);
        if let (Some(free), Some(held)) = (self.free.get_mut(index), self.held.get_mut(index)) {
            *free = byte(shard.available());
            *held = byte(shard.held_units());
        }
        if let Some(half_end) = self.half_ends.get_mut(index) {
            *half_end = shard.half_end_at();
        }
        // Only a unit in this shard ends the mark: the run that set the mark had read every shard, and the units of the
        // other shards here may be older than that.
        if shard.available() > 0 {
            self.sold_out_at = None;
        }
        self.next_hold_ends_at = match (self.next_hold_ends_at, shard.next_hold_ends_at()) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
    }

    /// An item to fold every shard into, for comparison with `before`. It has the same version and is not stamped yet.
    /// The sold-out mark stays until a shard with available units is folded in. A shard that is not folded in counts as
    /// having no units.
    #[must_use]
    pub fn anew(before: Option<&Self>, layout: &ShardLayout, as_of: Timestamp) -> Self {
        let untouched = Self::untouched(layout, as_of);
        let (version, sold_out_at) = before.map_or((0, None), |before| (before.version, before.sold_out_at));
        Self { version, sold_out_at, free: vec![0; untouched.free.len()], ..untouched }
    }

    /// Whether both have the same units per shard and the same sold-out mark, regardless of when they were derived.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        (self.units, &self.free, &self.held, self.sold_out_at) == (other.units, &other.free, &other.held, other.sold_out_at)
    }

    /// Ends a fold at `now`: sets the next version and drops the end of a hold that has passed.
    pub fn stamp(&mut self, now: Timestamp) {
        self.as_of = now;
        self.version += 1;
        if self.held_units() == 0 || self.next_hold_ends_at.is_some_and(|end| end <= now) {
            self.next_hold_ends_at = None;
        }
    }
}

/// A shard's units as one byte of the availability item; a shard has at most 100 (see [`SaleDraft::check`]).
fn byte(units: u32) -> u8 {
    u8::try_from(units).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::Hold;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn stock(free: &[u8]) -> Availability {
        let shards = u32::try_from(free.len()).unwrap();
        let layout = ShardLayout::new(shards * 25, shards);
        Availability { free: free.to_vec(), ..Availability::untouched(&layout, at("2026-11-20T12:00:00Z")) }
    }

    #[test]
    fn half_of_the_holds_end_between_a_quarter_and_three_quarters_of_the_units() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let holds = prop::collection::vec(prop::collection::vec((1_u32..=4, 0_i64..600), 0..6), 1..8);
        let start = at("2026-11-20T12:00:00Z");
        let end = |seconds: i64| start + jiff::SignedDuration::from_secs(seconds);
        runner
            .run(&holds, |shards| {
                let layout = ShardLayout::new(u32::try_from(shards.len()).unwrap() * 25, u32::try_from(shards.len()).unwrap());
                let mut availability = Availability::untouched(&layout, start);
                for (number, holds) in (0..).zip(&shards) {
                    let held = (0..).zip(holds).map(|(who, (units, seconds))| hold(number, who, *units, end(*seconds)));
                    availability.fold(ShardNumber(number), &StockShard::from_parts(25, 1, held.collect(), [].into()));
                }
                let all: u32 = shards.iter().flatten().map(|(units, _)| units).sum();
                let Some(half) = availability.half_end_at() else {
                    prop_assert_eq!(all, 0);
                    return Ok(());
                };
                let ends = |is_due: &dyn Fn(Timestamp) -> bool| -> u32 {
                    shards.iter().flatten().filter(|(_, seconds)| is_due(end(*seconds))).map(|(units, _)| units).sum()
                };
                prop_assert!(4 * ends(&|end| end <= half) >= all, "too few until {}", half);
                prop_assert!(4 * ends(&|end| end < half) <= 3 * all, "too many before {}", half);
                Ok(())
            })
            .unwrap();
    }

    fn hold(shard: u32, who: u32, units: u32, expires_at: Timestamp) -> (ShopperId, Hold) {
        let shopper: ShopperId = format!("shopper-{shard}-{who}").parse().unwrap();
        let reservation = format!("demo.01JD3V3Z5T8Q6W7X9Y0A{:06}", shard * 100 + who).parse().unwrap();
        (shopper, Hold { reservation, quantity: Quantity::new(units).unwrap(), expires_at })
    }

    #[test]
    fn units_that_no_shard_has_together_are_not_sold_out() {
        use Coverage::{NotTogether, SoldOut, Together};
        for (free, asked, expected) in [
            (&[25, 25][..], 10, Together),
            (&[3, 5], 5, Together),
            (&[3, 5], 6, NotTogether { largest: 5 }),
            (&[3, 5], 8, NotTogether { largest: 5 }),
            (&[3, 5], 9, SoldOut),
            (&[0, 0, 1, 0], 1, Together),
            (&[0, 0, 1, 0], 2, SoldOut),
            (&[1, 1], 2, NotTogether { largest: 1 }),
            (&[1; 10], 10, NotTogether { largest: 1 }),
            (&[1; 9], 10, SoldOut),
            (&[9, 0, 9], 10, NotTogether { largest: 9 }),
            (&[0, 0], 1, SoldOut),
            (&[0], 10, SoldOut),
        ] {
            let stock = stock(free);
            assert_eq!(stock.covers(Quantity::new(asked).unwrap()), expected, "{asked} of {free:?}");
            let marked = Availability { sold_out_at: Some(stock.as_of), ..stock };
            assert_eq!((marked.covers(Quantity::ONE), marked.available()), (SoldOut, 0), "marked: {free:?}");
        }
    }

    proptest! {
        #[test]
        fn sold_out_means_fewer_units_than_asked_and_the_largest_quantity_can_be_had(
            free in prop::collection::vec(0u8..=12, 1..60), marked: bool, asked in 1u32..=10,
        ) {
            let mut stock = stock(&free);
            stock.sold_out_at = marked.then_some(stock.as_of);
            let tries = |quantity| stock.candidates(&"demo".parse().unwrap(), &"ann".parse().unwrap(), quantity, 4);
            let quantity = Quantity::new(asked).unwrap();
            match stock.covers(quantity) {
                Coverage::Together => prop_assert!(!tries(quantity).is_empty()),
                Coverage::NotTogether { largest } => {
                    let largest = Quantity::new(largest).unwrap();
                    prop_assert!(tries(quantity).is_empty() && largest < quantity && stock.available() >= asked);
                    prop_assert_eq!(stock.covers(largest), Coverage::Together);
                    prop_assert!(!tries(largest).is_empty());
                }
                Coverage::SoldOut => prop_assert!(stock.available() < asked && tries(quantity).is_empty()),
            }
        }
    }

    #[test]
    fn candidates_have_enough_left_and_differ_from_shopper_to_shopper() {
        let mut availability = Availability::untouched(&ShardLayout::new(1_000, 40), at("2026-11-20T12:00:00Z"));
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
    fn an_item_made_anew_from_every_shard_agrees_with_one_that_took_in_every_change() {
        let (start, now) = (at("2026-11-20T12:00:00Z"), at("2026-11-20T12:00:10Z"));
        let layout = ShardLayout::new(50, 2);
        let shards = [StockShard::new(25), StockShard::from_parts(25, 3, [].into(), [].into())];
        let mut known = Availability::untouched(&layout, start);
        let mut derived = Availability::anew(Some(&known), &layout, now);
        for (number, shard) in (0..).map(ShardNumber).zip(&shards) {
            derived.fold(number, shard);
        }
        assert!(!derived.agrees_with(&known), "the second shard was not folded in");
        known.fold(ShardNumber(1), &shards[1]);
        known.stamp(start);
        assert!(derived.agrees_with(&known), "whenever it was derived");
        known.sold_out_at = Some(start);
        assert!(!derived.agrees_with(&known), "a mark that hides units");
        let nothing = Availability::anew(Some(&known), &layout, now);
        assert_eq!((nothing.available(), nothing.sold_out_at, nothing.version), (0, Some(start), known.version));
    }

    #[test]
    fn folding_the_same_shard_again_changes_nothing_and_units_that_return_end_the_mark() {
        let now = at("2026-11-20T12:00:10Z");
        let layout = ShardLayout::new(50, 2);
        let mut availability = Availability::untouched(&layout, at("2026-11-20T12:00:00Z"));
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
    #[test]
    fn a_restock_adds_full_shards_once_and_ends_the_mark() {
        let now = at("2026-11-20T12:00:10Z");
        let made = ShardLayout::new(50, 2);
        let mut availability = Availability::untouched(&made, now);
        availability.fold(ShardNumber(1), &StockShard::from_parts(25, 3, [].into(), [].into()));
        availability.sold_out_at = Some(now);
        assert!(!availability.extend_to(&made), "nothing was added");
        assert!(availability.sold_out_at.is_some());
        let restocked = made.restocked(crate::Extent { units: 31, shards: 2 });
        for is_new in [true, false] {
            assert_eq!(availability.extend_to(&restocked), is_new);
            assert_eq!((availability.free.as_slice(), availability.held.len()), ([25, 3, 16, 15].as_slice(), 4));
            assert_eq!((availability.units, availability.sold_units(), availability.sold_out_at), (81, 22, None));
        }
    }
}
