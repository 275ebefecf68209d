//! The wall clock and the operating system's randomness, behind the domain's traits.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Clock, Randomness};
use jiff::Timestamp;

/// The operating system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now(&self) -> Timestamp {
        // jiff is built without `std`, so that no other code can read the time.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let nanoseconds = i32::try_from(since.subsec_nanos()).unwrap_or(0);
        Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::MAX)
    }
}

/// The operating system's random generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    fn bytes(&self) -> [u8; 10] {
        random()
    }

    fn seed(&self) -> [u8; 32] {
        random()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the generator that everything else is given")]
#[expect(clippy::expect_used, reason = "identities that can be guessed would be worse than a failed request")]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // `getrandom(2)` with a buffer this small fails only on a kernel that does not have the call.
    getrandom::fill(&mut bytes).expect("the operating system has a random generator");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_a_time_of_this_age() {
        let earliest: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let latest: Timestamp = "2126-01-01T00:00:00Z".parse().unwrap();
        assert!((earliest..latest).contains(&SystemClock.now()));
    }

    #[test]
    fn no_two_draws_are_alike() {
        assert_ne!(OsRandomness.bytes(), OsRandomness.bytes());
    }
}
