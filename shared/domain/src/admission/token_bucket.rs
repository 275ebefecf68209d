//! A shopper's token bucket: each request takes a token, and tokens come back at a fixed rate.
//!
//! It is kept as one time, by the generic cell rate algorithm (GCRA; ATM Forum, Traffic Management Specification 4.0, 1996,
//! section 4.4.2): the time at which the bucket is full again. A token moves that time on by the interval between two tokens.
//! So a bucket needs no timer that refills it, and one conditional write can take a token.

use jiff::{SignedDuration, Timestamp};

use crate::seconds_until;

/// Tokens that each shopper gets in a second, and the size of a full bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShopperRate(u32);

impl ShopperRate {
    /// The highest rate. A token costs one write to the shopper's item, and DynamoDB takes 1,000 writes a second to one item.
    pub const MAX: u32 = 1_000;
    /// The rate in production.
    pub const DEFAULT: Self = Self(20);

    /// So many requests per second; `None` for 0 and for more than [`Self::MAX`].
    #[must_use]
    pub fn new(per_second: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&per_second).then_some(Self(per_second))
    }

    /// Requests per second.
    #[must_use]
    pub fn per_second(self) -> u32 {
        self.0
    }

    /// The time in which one token comes back, in whole microseconds.
    #[must_use]
    pub fn interval(self) -> SignedDuration {
        SignedDuration::from_micros(1_000_000 / i64::from(self.0.max(1)))
    }

    /// The time in which an empty bucket fills.
    fn filling(self) -> SignedDuration {
        self.interval().saturating_mul(i32::try_from(self.0).unwrap_or(i32::MAX))
    }
}

/// How far the clocks of two environments may be apart. A bucket that is full later than this allows was written by a wrong clock,
/// and counts as full: it must not shut its shopper out for hours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(5);

/// A shopper's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenBucket {
    /// When the bucket is full, if no token is taken until then; a whole microsecond.
    pub full_at: Timestamp,
}

/// What a bucket has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The bucket's rate and size.
    pub rate: ShopperRate,
    /// Requests that the bucket admits at once.
    pub remaining: u32,
    /// Whole seconds until the bucket is full.
    pub full_in_seconds: u32,
}

/// The bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the shopper's bucket is empty")]
pub struct BucketEmpty {
    /// Whole seconds until it has a token again, at least 1.
    pub after_seconds: u32,
}

impl TokenBucket {
    /// A bucket that no request has taken a token from.
    pub const FULL: Self = Self { full_at: Timestamp::MIN };

    /// The bucket after a request at `now`.
    ///
    /// # Errors
    /// When it has no token left. The request takes none.
    pub fn take(self, rate: ShopperRate, now: Timestamp) -> Result<Self, BucketEmpty> {
        let (now, full_at) = (to_microsecond(now), self.believed(rate, now).full_at);
        if full_at > Self::latest(rate, now) {
            return Err(BucketEmpty { after_seconds: seconds_until(full_at, Self::latest(rate, now)).max(1) });
        }
        let full_at = full_at.max(now).checked_add(rate.interval()).unwrap_or(Timestamp::MAX);
        Ok(Self { full_at })
    }

    /// This bucket as empty as it has to be to have no token for `time` from `now` on.
    #[must_use]
    pub fn empty_for(self, time: SignedDuration, rate: ShopperRate, now: Timestamp) -> Self {
        let until = Self::latest(rate, now).checked_add(time).unwrap_or(Timestamp::MAX);
        Self { full_at: self.full_at.max(until) }
    }

    /// The latest [`TokenBucket::full_at`] of a bucket that has a token at `now`.
    #[must_use]
    pub fn latest(rate: ShopperRate, now: Timestamp) -> Timestamp {
        now.checked_add(rate.filling() - rate.interval()).unwrap_or(Timestamp::MAX)
    }

    /// The latest [`TokenBucket::full_at`] that is believed at `now`.
    #[must_use]
    pub fn latest_believed(rate: ShopperRate, now: Timestamp) -> Timestamp {
        now.checked_add(rate.filling() + CLOCKS_APART).unwrap_or(Timestamp::MAX)
    }

    /// Whether tokens are missing at `now`.
    #[must_use]
    pub fn is_in_use(self, rate: ShopperRate, now: Timestamp) -> bool {
        self.believed(rate, now).full_at > now
    }

    fn believed(self, rate: ShopperRate, now: Timestamp) -> Self {
        if self.full_at > Self::latest_believed(rate, now) { Self::FULL } else { self }
    }

    /// What the bucket has left at `now`.
    #[must_use]
    pub fn allowance(self, rate: ShopperRate, now: Timestamp) -> Allowance {
        let full_at = self.believed(rate, now).full_at;
        let missing = full_at.duration_since(now).max(SignedDuration::ZERO);
        let interval = rate.interval().as_micros();
        let taken = u32::try_from((missing.as_micros() + interval - 1) / interval).unwrap_or(u32::MAX);
        Allowance { rate, remaining: rate.0.saturating_sub(taken), full_in_seconds: seconds_until(full_at, now) }
    }
}

/// The time in the bucket's resolution.
fn to_microsecond(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap()
    }

    fn rate(per_second: u32) -> ShopperRate {
        ShopperRate::new(per_second).unwrap()
    }

    /// A token bucket as textbooks have it: a number of tokens that grows with time. In millionths of a token.
    struct Textbook {
        tokens: i128,
        counted_at: i64,
    }

    impl Textbook {
        fn take(&mut self, rate: ShopperRate, micros: i64) -> bool {
            let size = i128::from(rate.per_second()) * rate.interval().as_micros();
            self.tokens = size.min(self.tokens + i128::from(micros - self.counted_at));
            self.counted_at = micros;
            let price = rate.interval().as_micros();
            let has_one = self.tokens >= price;
            if has_one {
                self.tokens -= price;
            }
            has_one
        }
    }

    proptest! {
        #[test]
        fn a_bucket_is_the_textbooks(
            per_second in 1..=ShopperRate::MAX,
            waits in prop::collection::vec(prop_oneof![0..200_i64, 0..60_000_i64, 0..2_000_000_i64], 1..300),
        ) {
            let rate = rate(per_second);
            let size = i128::from(per_second) * rate.interval().as_micros();
            let (mut bucket, mut textbook, mut micros) = (TokenBucket::FULL, Textbook { tokens: size, counted_at: 0 }, 0);
            for wait in waits {
                micros += wait;
                let taken = bucket.take(rate, at(micros));
                prop_assert_eq!(taken.is_ok(), textbook.take(rate, micros));
                bucket = taken.unwrap_or(bucket);
                let whole = textbook.tokens / rate.interval().as_micros();
                prop_assert_eq!(i128::from(bucket.allowance(rate, at(micros)).remaining), whole);
            }
        }

        #[test]
        fn nobody_gets_more_than_a_full_bucket_and_the_rate(per_second in 1..=ShopperRate::MAX, gap in 0..30_000_i64) {
            let rate = rate(per_second);
            let (mut bucket, mut taken, mut micros) = (TokenBucket::FULL, 0_i64, 0);
            while micros < 3_000_000 && taken < 10_000 {
                if let Ok(next) = bucket.take(rate, at(micros)) {
                    (bucket, taken) = (next, taken + 1);
                }
                micros += gap.max(1);
            }
            let most = i64::from(per_second) + micros / i64::try_from(rate.interval().as_micros()).unwrap() + 1;
            prop_assert!(taken <= most, "{} of {}", taken, most);
        }
    }

    #[test]
    fn a_full_bucket_admits_a_seconds_requests_at_once_and_then_one_in_each_interval() {
        let (rate, mut bucket) = (ShopperRate::DEFAULT, TokenBucket::FULL);
        for left in (0..20).rev() {
            bucket = bucket.take(rate, at(0)).unwrap();
            assert_eq!(bucket.allowance(rate, at(0)), Allowance { rate, remaining: left, full_in_seconds: 1 });
        }
        let empty = bucket.take(rate, at(49_999)).unwrap_err();
        assert_eq!(empty.after_seconds, 1);
        assert_eq!(bucket.allowance(rate, at(49_999)).remaining, 0);
        assert!(bucket.take(rate, at(50_000)).is_ok());
        assert_eq!(bucket.allowance(rate, at(1_000_000)), Allowance { rate, remaining: 20, full_in_seconds: 0 });
    }

    #[test]
    fn a_bucket_of_a_clock_that_is_hours_ahead_is_full() {
        let (rate, hours_ahead) = (ShopperRate::DEFAULT, TokenBucket { full_at: at(3 * 3_600_000_000) });
        assert_eq!(hours_ahead.take(rate, at(0)), TokenBucket::FULL.take(rate, at(0)));
        assert_eq!(hours_ahead.allowance(rate, at(0)).remaining, 20);
        let seconds_ahead = TokenBucket { full_at: at(6_000_000) };
        assert_eq!(seconds_ahead.take(rate, at(0)), Err(BucketEmpty { after_seconds: 6 }));
        assert_eq!(TokenBucket { full_at: at(6_000_001) }.take(rate, at(0)), TokenBucket::FULL.take(rate, at(0)));
    }

    #[test]
    fn a_rate_is_at_least_one_and_at_most_what_one_item_takes() {
        let wanted = [0, 1, 1_000, 1_001].map(|wanted| ShopperRate::new(wanted).map(ShopperRate::per_second));
        assert_eq!(wanted, [None, Some(1), Some(1_000), None]);
    }
}
