//! Cooling down: a shopper whose holds of a sale end unpaid again and again waits before the next one, longer each time.

use jiff::{SignedDuration, Timestamp};

/// A shopper's holds of one sale that ended unpaid or were cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpaidEnds {
    /// The number of these holds.
    pub count: u32,
    /// When the last of them ended; a whole second.
    pub last_at: Timestamp,
}

impl UnpaidEnds {
    /// The longest wait, s.
    pub const LONGEST_WAIT_SECONDS: u32 = 3_600;

    /// Until when the shopper gets no hold, in a sale whose holds last `hold_seconds`. The first unpaid end costs nothing.
    /// The second costs the length of a hold, and each further one twice as much, counted from the end of the last hold.
    #[must_use]
    pub fn cool_until(self, hold_seconds: u32) -> Option<Timestamp> {
        let doublings = self.count.checked_sub(2)?;
        let times = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let seconds = hold_seconds.saturating_mul(times).min(Self::LONGEST_WAIT_SECONDS);
        self.last_at.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()
    }

    /// Whether the shopper has to wait at all.
    #[must_use]
    pub fn cool(self) -> bool {
        self.count >= 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unpaid_end_after_the_first_doubles_the_wait_up_to_an_hour() {
        let last_at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (hold_seconds, count, waits) in [
            (300, 0, None),
            (300, 1, None),
            (300, 2, Some(300)),
            (300, 3, Some(600)),
            (300, 5, Some(2_400)),
            (300, 6, Some(3_600)),
            (5, 2, Some(5)),
            (5, 11, Some(2_560)),
            (5, 12, Some(3_600)),
            (5, 33, Some(3_600)),
            (5, 34, Some(3_600)),
            (3_600, 2, Some(3_600)),
            (3_600, u32::MAX, Some(3_600)),
        ] {
            let ends = UnpaidEnds { count, last_at };
            let until = waits.map(|seconds| last_at + SignedDuration::from_secs(seconds));
            assert_eq!(ends.cool_until(hold_seconds), until, "{count} of {hold_seconds} s");
            assert_eq!(ends.cool(), waits.is_some(), "{count}");
        }
    }
}
