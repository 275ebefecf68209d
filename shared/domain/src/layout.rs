//! How a sale's units are spread over shards, and a shopper's way through them.

use crate::{ProductId, ShardNumber, ShopperId};

/// Units of one shard unless the sale says otherwise: a shard with 25 holds is a DynamoDB item of about 2 KB.
pub const UNITS_PER_SHARD: u32 = 25;

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
pub(crate) fn spread(product: &ProductId, shopper: &ShopperId, shard: u32) -> u64 {
    let bytes = product.as_str().bytes().chain([0]).chain(shopper.as_str().bytes()).chain(shard.to_le_bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
}
