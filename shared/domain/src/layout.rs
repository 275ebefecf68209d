//! How a sale's units are spread over shards, and in which shard a shopper tries first.

use crate::{ProductId, Quantity, ShardNumber, ShopperId};

/// Units per shard unless the sale says otherwise: a shard with 25 holds is a DynamoDB item of about 2 KB.
pub const UNITS_PER_SHARD: u32 = 25;

/// Units that were made together, spread over shards as evenly as possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Number of units.
    pub units: u32,
    /// Number of shards; at least one.
    pub shards: u32,
}

/// All shards of a sale: those that it was made with, then those of each restock. A restock adds shards after the last
/// one and does not change existing shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardLayout {
    made: Extent,
    restocks: Vec<Extent>,
}

impl Extent {
    /// `units` in shards of `density` each. The shards are larger where a shopper, who is served from one shard, could
    /// otherwise not have `most` units.
    #[must_use]
    pub fn dense(units: u32, density: u32, most: Quantity) -> Self {
        let shards = units.div_ceil(density.max(1)).min(units / most.units()).max(1);
        Self { units, shards }
    }

    /// Units with which the shard at this place is made. The first shards get one unit more if the units do not divide
    /// evenly.
    #[must_use]
    pub fn capacity_at(self, place: u32) -> u32 {
        self.units / self.shards + u32::from(place < self.units % self.shards)
    }
}

impl ShardLayout {
    /// The most units that a shard may have: a shard with 100 holds is an item of about 8 KB.
    pub const MAX_UNITS_PER_SHARD: u32 = 100;

    /// `units` spread over `shards`; 0 shards count as 1.
    #[must_use]
    pub const fn new(units: u32, shards: u32) -> Self {
        let shards = if shards == 0 { 1 } else { shards };
        Self { made: Extent { units, shards }, restocks: Vec::new() }
    }

    /// The layout after a restock.
    #[must_use]
    pub fn restocked(mut self, extent: Extent) -> Self {
        self.restocks.push(extent);
        self
    }

    /// The units and shards that the sale was made with.
    #[must_use]
    pub fn made(&self) -> Extent {
        self.made
    }

    /// The extent that the sale was made with, then that of each restock.
    pub fn extents(&self) -> impl Iterator<Item = Extent> {
        std::iter::once(self.made).chain(self.restocks.iter().copied())
    }

    /// All units of the sale: those it was made with and those of its restocks, whether available, held or sold.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.extents().map(|extent| extent.units).sum()
    }

    /// Number of all shards; at least one.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.extents().map(|extent| extent.shards).sum()
    }

    /// Units with which each shard is made, in order.
    pub fn capacities(&self) -> impl Iterator<Item = u32> {
        self.extents().flat_map(|extent| (0..extent.shards).map(move |place| extent.capacity_at(place)))
    }

    /// The numbers of all shards.
    pub fn numbers(&self) -> impl Iterator<Item = ShardNumber> + use<> {
        (0..self.shards()).map(ShardNumber)
    }

    /// The shard that a shopper tries first. A restock takes over its share of the shoppers, at random and permanently.
    /// The other shoppers keep their shards.
    #[must_use]
    pub fn home_of(&self, product: &ProductId, shopper: &ShopperId) -> ShardNumber {
        let mut home = place(spread(product, shopper, u32::MAX), self.made.shards);
        let mut shards = self.made.shards;
        for (salt, extent) in (0..u32::MAX).rev().zip(&self.restocks) {
            shards += extent.shards;
            let drawn = place(spread(product, shopper, salt), shards);
            if drawn >= shards - extent.shards {
                home = drawn;
            }
        }
        ShardNumber(home)
    }
}

/// Maps a hash to one of `places` places.
fn place(hash: u64, places: u32) -> u32 {
    u32::try_from(hash % u64::from(places)).unwrap_or(0)
}

/// A hash of a shopper in a sale and a shard.
pub(crate) fn spread(product: &ProductId, shopper: &ShopperId, shard: u32) -> u64 {
    hashed(product.as_str().bytes().chain([0]).chain(shopper.as_str().bytes()).chain(shard.to_le_bytes()))
}

/// A hash of `bytes`: FNV-1a (Fowler, Noll, Vo), finished by the mixer of `SplitMix64` (Steele, Lea, Flood 2014), because FNV
/// alone gives similar names similar low bits. It is written here because it must not change during a sale, across functions
/// and their versions.
pub(crate) fn hashed(bytes: impl Iterator<Item = u8>) -> u64 {
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shopper(number: u32) -> ShopperId {
        format!("shopper-{number}").parse().unwrap()
    }

    fn dense(units: u32) -> Extent {
        Extent::dense(units, UNITS_PER_SHARD, Quantity::new(2).unwrap())
    }

    /// A layout with one restock for each number of units in `restocks`.
    fn restocked(units: u32, shards: u32, restocks: &[u32]) -> ShardLayout {
        let made = ShardLayout::new(units, shards);
        restocks.iter().fold(made, |layout, units| layout.restocked(dense(*units)))
    }

    proptest! {
        #[test]
        fn a_layout_spreads_every_unit(
            units in 1u32..5_000, shards in 1u32..300, restocks in prop::collection::vec(1u32..5_000, 0..4),
        ) {
            let layout = restocked(units, shards.min(units), &restocks);
            let capacities: Vec<u32> = layout.capacities().collect();
            prop_assert_eq!(capacities.iter().sum::<u32>(), units + restocks.iter().sum::<u32>());
            prop_assert_eq!(layout.units(), units + restocks.iter().sum::<u32>());
            prop_assert_eq!(u32::try_from(capacities.len()).unwrap(), layout.shards());
            for extent in layout.extents() {
                let of: Vec<u32> = (0..extent.shards).map(|place| extent.capacity_at(place)).collect();
                prop_assert!(of.iter().max().unwrap() - of.iter().min().unwrap() <= 1);
            }
        }

        #[test]
        fn a_restock_changes_no_shard_that_is_there(
            units in 1u32..500, shards in 1u32..30, first in 1u32..500, second in 1u32..500,
        ) {
            let before = restocked(units, shards.min(units), &[first]);
            let after = before.clone().restocked(dense(second));
            prop_assert!(after.capacities().zip(before.capacities()).all(|(after, before)| after == before));
        }

        #[test]
        fn shards_are_not_too_large_and_a_shopper_fits_into_each(
            units in 1u32..100_000, density in 1u32..=100, most in 1u32..=10,
        ) {
            let extent = Extent::dense(units, density, Quantity::new(most).unwrap());
            prop_assert!(extent.capacity_at(0) <= ShardLayout::MAX_UNITS_PER_SHARD, "{extent:?}");
            prop_assert!(extent.capacity_at(extent.shards - 1) >= most.min(units), "{extent:?}");
        }

        #[test]
        fn a_shopper_stays_or_moves_to_what_was_added(
            shards in 1u32..50, first in 1u32..500, second in 1u32..500, number: u32,
        ) {
            let product = "demo".parse().unwrap();
            let before = restocked(shards * 25, shards, &[first]);
            let after = before.clone().restocked(dense(second));
            let (was, is) = (before.home_of(&product, &shopper(number)), after.home_of(&product, &shopper(number)));
            prop_assert!(is == was || (before.shards()..after.shards()).contains(&is.0), "{was} {is}");
        }
    }

    /// Each shard is the home of 1,000 shoppers on average; five standard deviations are 156.
    #[test]
    fn homes_of_similar_shoppers_spread_also_after_restocks() {
        let product = "demo".parse().unwrap();
        for layout in [ShardLayout::new(1_000, 40), restocked(250, 10, &[500, 250])] {
            let mut shoppers_at = [0u32; 40];
            for number in 0..40_000 {
                let home = layout.home_of(&product, &shopper(number));
                shoppers_at[usize::try_from(home.0).unwrap()] += 1;
            }
            assert!(shoppers_at.iter().all(|count| (840..1_160).contains(count)), "{shoppers_at:?}");
        }
    }
}
