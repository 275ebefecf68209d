//! The only random generator of a history: the seed determines all of its choices. The history draws from it in a fixed
//! order, and uses no other random number.
//!
//! `SplitMix64` (Steele, Lea and Flood 2014) is small, fast, and gives the same numbers on every machine, so a seed can
//! be replayed years later.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::Randomness;

/// A seeded generator. Clones draw from the same sequence.
#[derive(Debug, Clone)]
pub(crate) struct Chance(Arc<Mutex<u64>>);

impl Chance {
    /// The generator of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    /// The next 64 bits.
    pub(crate) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`. `bound` is small, so the bias does not matter.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True with this probability.
    #[expect(clippy::cast_precision_loss, reason = "53 of the bits are kept")]
    pub(crate) fn happens(&self, probability: f64) -> bool {
        ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < probability
    }

    /// One of several values.
    pub(crate) fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// An index into a list of `length` entries.
    pub(crate) fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    /// A time from `low` to `high` milliseconds.
    pub(crate) fn milliseconds(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }
}

impl Randomness for Chance {
    fn bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        bytes
    }

    /// Not of the sequence: old seeds must keep their histories.
    fn seed(&self) -> [u8; 32] {
        [7; 32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sequence of seed 0 as published with the algorithm: old seeds must keep their histories.
    #[test]
    fn the_sequence_of_a_seed_never_changes() {
        let chance = Chance::of(0);
        assert_eq!([chance.next(), chance.next()], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }

    #[test]
    fn a_probability_is_kept() {
        let chance = Chance::of(7);
        let hits = (0..10_000).filter(|_| chance.happens(0.25)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!(!chance.happens(0.0));
    }
}
