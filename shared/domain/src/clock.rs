//! Time and randomness as arguments, so that tests and simulations decide both.

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Only the runtime kit implements it with the operating system.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes. Only the runtime kit implements it with the operating system.
pub trait Randomness: Send + Sync {
    /// Ten fresh bytes: the random part of a ULID.
    fn bytes(&self) -> [u8; 10];

    /// 32 fresh bytes that nobody can guess: the seed of a draw.
    fn seed(&self) -> [u8; 32];
}

/// The first whole second at or after `at`. Holds end at whole seconds. So a client sees the same second that DynamoDB
/// compares, and it is never before the promised time.
#[must_use]
pub fn ceil_to_second(at: Timestamp) -> Timestamp {
    let seconds = if at.subsec_nanosecond() > 0 { at.as_second().saturating_add(1) } else { at.as_second() };
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// The last whole second at or before `at`.
#[must_use]
pub fn floor_to_second(at: Timestamp) -> Timestamp {
    let seconds = if at.subsec_nanosecond() < 0 { at.as_second().saturating_sub(1) } else { at.as_second() };
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN)
}

/// A time that the product measured, as clients see it: RFC 3339, UTC, to the second or, where there are fractions, to the
/// millisecond.
#[must_use]
pub fn to_the_millisecond(at: Timestamp) -> String {
    if at.subsec_nanosecond() == 0 { at.to_string() } else { format!("{at:.3}") }
}

/// Whole seconds from `now` until `at`, rounded up, at least zero: the unit of `Retry-After` and of a queue's delay.
#[must_use]
pub fn seconds_until(at: Timestamp, now: Timestamp) -> u32 {
    let left = at.duration_since(now);
    if left <= SignedDuration::ZERO {
        return 0;
    }
    let seconds = left.as_secs().saturating_add(i64::from(left.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_end_is_rounded_up_never_down() {
        assert_eq!(ceil_to_second(at("2026-11-20T12:00:00Z")), at("2026-11-20T12:00:00Z"));
        assert_eq!(ceil_to_second(at("2026-11-20T12:00:00.001Z")), at("2026-11-20T12:00:01Z"));
    }

    #[test]
    fn a_limit_is_rounded_down_never_up() {
        assert_eq!(floor_to_second(at("2026-11-20T12:00:00Z")), at("2026-11-20T12:00:00Z"));
        assert_eq!(floor_to_second(at("2026-11-20T12:00:00.999Z")), at("2026-11-20T12:00:00Z"));
        assert_eq!(floor_to_second(at("1969-12-31T23:59:58.5Z")), at("1969-12-31T23:59:58Z"));
    }

    #[test]
    fn waiting_is_rounded_up_and_never_negative() {
        let end = at("2026-11-20T12:00:10Z");
        assert_eq!(seconds_until(end, at("2026-11-20T12:00:00Z")), 10);
        assert_eq!(seconds_until(end, at("2026-11-20T12:00:09.5Z")), 1);
        assert_eq!(seconds_until(end, end), 0);
        assert_eq!(seconds_until(end, at("2026-11-20T13:00:00Z")), 0);
    }
}
