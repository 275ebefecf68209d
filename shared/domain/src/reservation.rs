//! A reservation: one shopper's hold in one sale, and how long it lasts.

use jiff::{SignedDuration, Timestamp};

use crate::{GatewayName, Quantity, ReservationId, ShardNumber, ShopperId};

/// After a failed payment, the shopper has at least this long to try another payment method, unless the hold reaches its
/// latest end before.
pub const MIN_TIME_TO_PAY: SignedDuration = SignedDuration::from_secs(120);

/// The status of a reservation. A reservation that has ended does not exist any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReservationStatus {
    /// Units are held until `expires_at`.
    Held,
    /// A payment is in progress: the units stay held, whatever the time, until its saga has ended.
    Paying,
    /// Paid for.
    Purchased,
}

/// One shopper's hold in one sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// `<product_id>.<ULID>`: also the id of its order.
    pub id: ReservationId,
    /// The shopper who holds the units.
    pub shopper: ShopperId,
    /// The shard that the units are in.
    pub shard: ShardNumber,
    /// Units, 1–10.
    pub quantity: Quantity,
    /// Whether it is held, being paid, or purchased.
    pub status: ReservationStatus,
    /// When it ends unless it is paid for; a whole second.
    pub expires_at: Timestamp,
    /// No failed payment prolongs it beyond this time; a whole second. `None`: an earlier version made it, and every
    /// failed payment prolongs it.
    pub latest_end: Option<Timestamp>,
    /// The accounts at payment providers that were chosen for it; see [`Accounts::choose`](crate::Accounts::choose).
    pub accounts: Vec<GatewayName>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Reservation {
    /// It is held and its time is over. Its units become available again, whether or not a worker has released them
    /// yet.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        match self.status {
            ReservationStatus::Held => self.expires_at <= now,
            ReservationStatus::Paying | ReservationStatus::Purchased => false,
        }
    }

    /// The end after a failed payment: at least [`MIN_TIME_TO_PAY`] from now, but not beyond `latest_end`, and never
    /// earlier than before. It may have passed: then the reservation is overdue.
    #[must_use]
    pub fn end_after_failed_payment(&self, now: Timestamp) -> Timestamp {
        let prolonged = crate::ceil_to_second(now.checked_add(MIN_TIME_TO_PAY).unwrap_or(Timestamp::MAX));
        self.expires_at.max(self.latest_end.map_or(prolonged, |latest| prolonged.min(latest)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reservation(status: ReservationStatus, expires_at: &str) -> Reservation {
        let id: ReservationId = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap();
        Reservation {
            created_at: id.made_at(),
            id,
            shopper: "ann".parse().unwrap(),
            shard: ShardNumber(0),
            quantity: Quantity::ONE,
            status,
            expires_at: expires_at.parse().unwrap(),
            latest_end: None,
            accounts: Vec::new(),
        }
    }

    #[test]
    fn only_a_held_reservation_runs_out_and_at_its_end_to_the_second() {
        let end = "2026-11-20T12:00:00Z";
        let (before, at) = ("2026-11-20T11:59:59.999Z".parse().unwrap(), end.parse().unwrap());
        assert!(!reservation(ReservationStatus::Held, end).is_overdue(before));
        assert!(reservation(ReservationStatus::Held, end).is_overdue(at));
        assert!(!reservation(ReservationStatus::Paying, end).is_overdue(at));
        assert!(!reservation(ReservationStatus::Purchased, end).is_overdue(at));
    }

    #[test]
    fn a_failed_payment_leaves_two_minutes_and_never_shortens_the_hold() {
        let now = "2026-11-20T12:00:00.5Z".parse().unwrap();
        let short = reservation(ReservationStatus::Paying, "2026-11-20T12:00:10Z");
        assert_eq!(short.end_after_failed_payment(now), "2026-11-20T12:02:01Z".parse().unwrap());
        let long = reservation(ReservationStatus::Paying, "2026-11-20T13:00:00Z");
        assert_eq!(long.end_after_failed_payment(now), long.expires_at);
    }

    #[test]
    fn no_failed_payment_prolongs_a_hold_beyond_its_latest_end() {
        for (expires_at, latest_end, now, end) in [
            ("12:05:00", "12:10:00", "12:04:00", "12:06:00"),
            ("12:05:00", "12:10:00", "12:08:00", "12:10:00"),
            ("12:05:00", "12:10:00", "12:08:00.001", "12:10:00"),
            ("12:05:00", "12:10:00", "12:09:59", "12:10:00"),
            ("12:10:00", "12:10:00", "12:10:00", "12:10:00"),
            ("12:05:00", "12:10:00", "13:00:00", "12:10:00"),
            ("12:05:00", "12:05:00", "12:04:59", "12:05:00"),
            ("12:05:01", "12:05:00", "12:04:59", "12:05:01"),
        ] {
            let at = |time: &str| format!("2026-11-20T{time}Z").parse::<Timestamp>().unwrap();
            let paying = reservation(ReservationStatus::Paying, &at(expires_at).to_string());
            let paying = Reservation { latest_end: Some(at(latest_end)), ..paying };
            assert_eq!(paying.end_after_failed_payment(at(now)), at(end), "{expires_at}, {latest_end} at {now}");
        }
    }

    proptest! {
        #[test]
        fn a_hold_ends_however_often_and_whenever_its_payments_fail(
            waits in prop::collection::vec(0i64..1_000, 0..40), hold in 5i64..300, longer in 0i64..600,
        ) {
            let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
            let after = |seconds| start + SignedDuration::from_secs(seconds);
            let mut paying = reservation(ReservationStatus::Paying, &after(hold).to_string());
            paying.latest_end = Some(after(hold + longer));
            let mut now = 0;
            for wait in waits {
                now += wait;
                let before = paying.expires_at;
                paying.expires_at = paying.end_after_failed_payment(after(now));
                prop_assert!(paying.expires_at >= before && paying.expires_at <= after(hold + longer));
            }
        }
    }
}
