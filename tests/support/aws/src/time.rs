//! Time and randomness that a test decides.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use domain::{Clock, Randomness};
use jiff::{SignedDuration, Timestamp};

/// A clock that stands still until the test changes it. Clones tell the same time.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<Timestamp>>);

impl FixedClock {
    /// A clock that shows `time` (RFC 3339).
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(parse(time))))
    }

    /// Sets the clock to `time` (RFC 3339).
    pub fn set(&self, time: &str) {
        *self.0.lock().unwrap() = parse(time);
    }

    /// Sets the clock to `time`.
    pub fn set_to(&self, time: Timestamp) {
        *self.0.lock().unwrap() = time;
    }

    /// Lets time pass.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }

    /// Lets seconds pass.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance(SignedDuration::from_secs(seconds));
    }
}

fn parse(time: &str) -> Timestamp {
    time.parse().unwrap_or_else(|error| panic!("{time} is not a time: {error}"))
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A clock for dynoxide's TTL sweep and stream records.
#[derive(Debug, Clone)]
pub struct EngineClock<C>(pub C);

impl<C: Clock> dynoxide::storage_backend::Clock for EngineClock<C> {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap()
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit into the 52 bits")]
    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_millisecond() as f64 / 1000.0
    }
}

/// Counts instead of drawing: the first bytes are 1, the next 2, and so on. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct CountingRandomness {
    drawn: Arc<AtomicU64>,
    seeds: Arc<AtomicU64>,
}

impl CountingRandomness {
    /// Starts at 1.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Randomness for CountingRandomness {
    fn bytes(&self) -> [u8; 10] {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&count.to_be_bytes());
        bytes
    }

    /// Counted apart, so that ids do not depend on which sales were made before.
    fn seed(&self) -> [u8; 32] {
        let count = self.seeds.fetch_add(1, Ordering::Relaxed) + 1;
        let [high @ .., low] = count.to_be_bytes();
        let mut seed = [low; 32];
        if count > u64::from(u8::MAX) {
            seed[..high.len()].copy_from_slice(&high);
        }
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_only_when_told_and_for_every_clone() {
        let clock = FixedClock::at("2026-11-20T12:00:00Z");
        let other = clock.clone();
        clock.advance_seconds(61);
        assert_eq!(other.now(), "2026-11-20T12:01:01Z".parse().unwrap());
        other.set("2026-11-21T00:00:00Z");
        assert_eq!(clock.now(), "2026-11-21T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn draws_are_counted() {
        let randomness = CountingRandomness::new();
        assert_eq!(randomness.bytes()[9], 1);
        assert_eq!(randomness.clone().bytes()[9], 2);
    }
}
