//! When a payment may ask its gateway: no faster than the gateway allows, and not at all while the gateway is down.

use jiff::{SignedDuration, Timestamp};

/// Payments that may ask a gateway in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentRate(u32);

impl PaymentRate {
    /// The highest rate. Each payment writes to the gateway's one item, and one item takes 1,000 writes a second.
    pub const MAX: u32 = 500;

    /// So many payments per second; `None` for 0, which is no limit, and for more than [`Self::MAX`].
    #[must_use]
    pub fn new(per_second: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&per_second).then_some(Self(per_second))
    }

    /// The turn of ticket `number`, from 1, of those given out since `since`.
    #[must_use]
    pub fn turn(self, since: Timestamp, number: u64) -> Timestamp {
        let millis = number.saturating_sub(1).saturating_mul(1_000) / u64::from(self.0);
        since.checked_add(SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))).unwrap_or(Timestamp::MAX)
    }

    /// Whether the count of tickets has to begin again at `now`: it lags by more than a second, so unused turns of the past
    /// would let a crowd through at once.
    #[must_use]
    pub fn lags(turn: Timestamp, now: Timestamp) -> bool {
        turn < now.checked_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN)
    }
}

/// A circuit breaker (Nygard, Release It!, 2007), as all environments share it: after some failures in a short time the gateway
/// is not asked for a while, and then by one payment at a time until one succeeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures since the last success, or since `failing_since`.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// No payment asks before this time.
    pub open_until: Option<Timestamp>,
}

/// What a breaker says to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Ask.
    Closed,
    /// Ask if no other payment does: write [`Breaker::probed`] first.
    Probe,
    /// Do not ask.
    Open,
}

impl Breaker {
    /// So many failures open the breaker.
    pub const FAILURES: u32 = 5;
    /// Failures count together if they come within this time.
    pub const WINDOW: SignedDuration = SignedDuration::from_secs(30);
    /// For so long the gateway is not asked, and then once in this time.
    pub const PAUSE: SignedDuration = SignedDuration::from_secs(15);

    /// Whether a payment may ask at `now`.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        match self.open_until {
            None => Verdict::Closed,
            Some(until) if now < until => Verdict::Open,
            Some(_) => Verdict::Probe,
        }
    }

    /// After a failure at `now`.
    #[must_use]
    pub fn failed(&self, now: Timestamp) -> Self {
        let window = self.failing_since.filter(|since| self.open_until.is_some() || now.duration_since(*since) <= Self::WINDOW);
        let failures = if window.is_some() { self.failures.saturating_add(1) } else { 1 };
        let opens = failures >= Self::FAILURES;
        Self {
            failures,
            failing_since: window.or(Some(now)),
            open_until: if opens { now.checked_add(Self::PAUSE).ok() } else { None },
        }
    }

    /// While one payment asks at `now` whether the gateway is back.
    #[must_use]
    pub fn probed(&self, now: Timestamp) -> Self {
        Self { open_until: now.checked_add(Self::PAUSE).ok(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_000_000_000 + millis).unwrap()
    }

    #[test]
    fn turns_come_at_the_rate() {
        let rate = PaymentRate::new(100).unwrap();
        assert_eq!([1, 2, 101, 1_000].map(|number| rate.turn(at(0), number)), [at(0), at(10), at(1_000), at(9_990)]);
        assert_eq!((PaymentRate::new(0), PaymentRate::new(501)), (None, None));
        assert!(!PaymentRate::lags(at(0), at(1_000)) && PaymentRate::lags(at(0), at(1_001)));
        assert_eq!(PaymentRate::new(1).unwrap().turn(at(0), u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn five_failures_within_half_a_minute_open_it_and_a_success_closes_it() {
        let mut breaker = Breaker::default();
        for second in 0..4 {
            breaker = breaker.failed(at(second * 1_000));
            assert_eq!(breaker.verdict(at(second * 1_000)), Verdict::Closed);
        }
        breaker = breaker.failed(at(4_000));
        assert_eq!(breaker.verdict(at(18_999)), Verdict::Open);
        assert_eq!(breaker.verdict(at(19_000)), Verdict::Probe);
        // One payment probes: the others do not ask meanwhile.
        breaker = breaker.probed(at(20_000));
        assert_eq!((breaker.verdict(at(20_001)), breaker.verdict(at(35_000))), (Verdict::Open, Verdict::Probe));
        // It fails, long after the window: still down.
        assert_eq!(breaker.failed(at(300_000)).verdict(at(300_001)), Verdict::Open);
        assert_eq!(Breaker::default().verdict(at(0)), Verdict::Closed);
    }

    #[test]
    fn failures_far_apart_do_not_open_it() {
        let mut breaker = Breaker::default();
        for minute in 0..100 {
            breaker = breaker.failed(at(minute * 60_000));
            assert_eq!(breaker.verdict(at(minute * 60_000)), Verdict::Closed);
        }
    }

    proptest! {
        #[test]
        fn no_second_has_more_turns_than_the_rate(per_second in 1..=PaymentRate::MAX, first in 1u64..10_000) {
            let rate = PaymentRate::new(per_second).unwrap();
            let last = rate.turn(at(0), first + u64::from(per_second));
            prop_assert!(last.duration_since(rate.turn(at(0), first)) >= SignedDuration::from_millis(999));
        }
    }
}
