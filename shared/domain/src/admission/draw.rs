//! The draw: a secret seed gives each shopper a rank, and the rank a turn. It needs no write, no counter and no queue.
//!
//! The SHA-256 of the seed is published with the sale, the seed itself after the sale's end. So anyone can verify afterwards
//! that the ranks follow from a seed that was fixed before (a commitment scheme). The rank is the first 8 bytes, big-endian, of
//! HMAC-SHA-256 (RFC 2104) with the seed as its key, over product ‖ 0x00 ‖ shopper. Neither id contains a zero byte.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{ProductId, ShopperId};

/// Nanoseconds in a second.
const NANOSECONDS: u128 = 1_000_000_000;

/// The secret from which all ranks of a sale follow. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct DrawSeed([u8; 32]);

impl DrawSeed {
    /// A seed of these bytes, which have to be random.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed that [`DrawSeed::hex`] has written. `None`: the text is no seed.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The seed in lower-case hex. Before the sale's end, it belongs into the store and nowhere else.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The SHA-256 of the seed's bytes in lower-case hex: everybody may know it from the beginning.
    #[must_use]
    pub fn commitment(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }

    /// The rank of `shopper` in the sale of `product`.
    #[must_use]
    pub fn rank(&self, product: &ProductId, shopper: &ShopperId) -> Rank {
        // A key of HMAC may have any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Rank::LAST };
        for part in [product.as_str().as_bytes(), &[0], shopper.as_str().as_bytes()] {
            mac.update(part);
        }
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        digest.first_chunk().map_or(Rank::LAST, |first| Rank(u64::from_be_bytes(*first)))
    }
}

impl fmt::Debug for DrawSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DrawSeed(…)")
    }
}

/// A shopper's place in a draw, as a fraction of 2⁶⁴.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(pub u64);

impl Rank {
    /// The last of all.
    pub const LAST: Self = Self(u64::MAX);

    /// The first whole millisecond t at which rank < (t − `starts_at`) / `ramp_seconds`.
    #[must_use]
    pub fn admitted_at(self, starts_at: Timestamp, ramp_seconds: u32) -> Timestamp {
        let ramp = u128::from(ramp_seconds) * NANOSECONDS;
        // The least whole number above rank × ramp. The product is below 2⁹⁶.
        let after = ((u128::from(self.0) * ramp) >> 64) + 1;
        let after = SignedDuration::from_nanos(i64::try_from(after).unwrap_or(i64::MAX));
        let turn = starts_at.checked_add(after).unwrap_or(Timestamp::MAX);
        let milliseconds =
            turn.as_nanosecond().div_euclid(1_000_000) + i128::from(turn.as_nanosecond().rem_euclid(1_000_000) > 0);
        let milliseconds = i64::try_from(milliseconds).ok();
        milliseconds.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Shoppers of the statistical tests.
    const CROWD: u32 = 100_000;

    fn product() -> ProductId {
        "demo".parse().unwrap()
    }

    fn shopper(number: u32) -> ShopperId {
        format!("shopper-{number}").parse().unwrap()
    }

    /// The ranks of a crowd by the seed `byte` times 32.
    fn ranks(byte: u8) -> Vec<Rank> {
        let seed = DrawSeed::new([byte; 32]);
        (0..CROWD).map(|number| seed.rank(&product(), &shopper(number))).collect()
    }

    fn start() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    #[test]
    fn a_seed_is_read_as_it_was_written_and_shown_to_nobody() {
        let seed = DrawSeed::new(std::array::from_fn(|n| u8::try_from(n * 8).unwrap()));
        assert_eq!(DrawSeed::from_hex(&seed.hex()), Some(seed.clone()));
        assert_eq!(format!("{seed:?}"), "DrawSeed(…)");
        for bad in ["", "07", &"0g".repeat(32), &"07".repeat(31), &"07".repeat(33)] {
            assert_eq!(DrawSeed::from_hex(bad), None, "{bad}");
        }
    }

    /// Pearson's test with 99 degrees of freedom: a uniform sample is above 148.2 once in a thousand times.
    #[test]
    fn ranks_are_spread_evenly() {
        for byte in 1..=3 {
            let mut bins = [0_u32; 100];
            for Rank(rank) in ranks(byte) {
                bins[usize::try_from((u128::from(rank) * 100) >> 64).unwrap()] += 1;
            }
            let expected = f64::from(CROWD / 100);
            let chi_square: f64 = bins.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
            assert!(chi_square < 148.2, "{chi_square}");
        }
    }

    #[test]
    fn every_second_of_the_ramp_admits_its_share() {
        let (ramp, share) = (10, CROWD / 10);
        let mut seconds = [0_u32; 10];
        for rank in ranks(7) {
            let after = rank.admitted_at(start(), ramp).duration_since(start()).as_millis();
            // A turn at a whole second belongs to the second before it, whose last instant it is.
            seconds[usize::try_from((after - 1) / 1_000).unwrap()] += 1;
        }
        assert!(seconds.iter().all(|admitted| admitted.abs_diff(share) * 20 <= share), "{seconds:?}");
    }

    #[test]
    fn product_and_shopper_do_not_run_into_each_other() {
        let seed = DrawSeed::new([1; 32]);
        let rank = |product: &str, shopper: &str| seed.rank(&product.parse().unwrap(), &shopper.parse().unwrap());
        assert_ne!(rank("ab", "c"), rank("a", "bc"));
        assert_ne!(rank("ab", "c"), DrawSeed::new([2; 32]).rank(&"ab".parse().unwrap(), &"c".parse().unwrap()));
    }

    #[test]
    fn the_first_has_to_wait_and_the_last_gets_in_at_the_end_of_the_ramp() {
        let after = |rank, ramp| Rank(rank).admitted_at(start(), ramp).duration_since(start()).as_millis();
        assert_eq!((after(0, 60), after(0, 3_600)), (1, 1), "rank < 0 is never true");
        assert_eq!((after(u64::MAX, 60), after(u64::MAX, 3_600)), (60_000, 3_600_000));
        assert_eq!(after(1 << 63, 60), 30_001, "half of the ramp has to be over");
        assert_eq!(Rank::LAST.admitted_at(Timestamp::MAX, 3_600), Timestamp::MAX);
    }

    proptest! {
        /// `admitted_at` is the first whole millisecond at which the documented inequality holds.
        #[test]
        fn a_turn_is_exact_to_the_millisecond(rank: u64, ramp in 1_u32..=3_600, start_nanos in 0_i64..2_000_000_000_000_000) {
            let starts_at = Timestamp::from_nanosecond(i128::from(start_nanos)).unwrap();
            let turn = Rank(rank).admitted_at(starts_at, ramp);
            let is_admitted = |at: Timestamp| {
                let after = at.as_nanosecond() - starts_at.as_nanosecond();
                after > 0 && u128::from(rank) * u128::from(ramp) * NANOSECONDS < u128::try_from(after).unwrap() << 64
            };
            prop_assert_eq!(turn.as_nanosecond() % 1_000_000, 0);
            prop_assert!(is_admitted(turn));
            prop_assert!(!is_admitted(turn - SignedDuration::from_millis(1)));
        }
    }
}
