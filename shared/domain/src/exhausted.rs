//! For how long a sale is certainly sold out: what the gate at the edge may say without asking.

use jiff::{SignedDuration, Timestamp};

use crate::{StockShard, stock::half_end};

/// A sale without an available unit. No hold ends before `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// The gate lets requests through from this time on.
    pub until: Timestamp,
    /// Units held.
    pub held: u32,
    /// The earliest end of a hold.
    pub next_ends_at: Option<Timestamp>,
    /// [`crate::Availability::half_end_at`].
    pub half_end_at: Option<Timestamp>,
}

impl Exhausted {
    /// The longest time while units are held. A wrong "sold out" clears itself after it.
    pub const LASTS: SignedDuration = SignedDuration::from_secs(150);
    /// The longest time when every unit is sold: only an operator or a failing payment brings one back.
    pub const LASTS_WHEN_SOLD: SignedDuration = SignedDuration::from_mins(5);
    /// It is renewed when less than this is left; `reconcile` looks every minute.
    pub const RENEWED_BEFORE: SignedDuration = SignedDuration::from_secs(80);
    /// The gate lets requests through some seconds before `until`. A shorter time is not worth a write.
    const SHORTEST: SignedDuration = SignedDuration::from_secs(15);

    /// The stock at `now` by every shard of the sale. `None`: a unit is available, or may be soon.
    pub fn of<'s>(shards: impl IntoIterator<Item = &'s StockShard>, now: Timestamp) -> Option<Self> {
        let (mut held, mut next_ends_at, mut half_ends) = (0_u32, None::<Timestamp>, Vec::new());
        for shard in shards {
            if shard.available() > 0 {
                return None;
            }
            held = held.saturating_add(shard.held_units());
            next_ends_at = next_ends_at.into_iter().chain(shard.next_hold_ends_at()).min();
            half_ends.extend(shard.half_end_at().map(|end| (end, shard.held_units())));
        }
        let lasts = if held > 0 { Self::LASTS } else { Self::LASTS_WHEN_SOLD };
        let longest = now.checked_add(lasts).unwrap_or(Timestamp::MAX);
        let until = next_ends_at.map_or(longest, |end| end.min(longest));
        (until.duration_since(now) >= Self::SHORTEST).then(|| Self {
            until,
            held,
            next_ends_at,
            half_end_at: half_end(half_ends),
        })
    }

    /// Whether there is nothing to add at `now`: enough time is left, or the end of a hold limits it.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let ends_with_a_hold = self.next_ends_at == Some(self.until) && now < self.until;
        ends_with_a_hold || self.until.duration_since(now) > Self::RENEWED_BEFORE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hold, Quantity};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn held_until(ends: &[i64]) -> StockShard {
        let hold = |end: &i64| Hold {
            reservation: "demo.01M7Z4KHS4233X24KK9C8AC5JJ".parse().unwrap(),
            quantity: Quantity::ONE,
            expires_at: at(*end),
        };
        let held = ends.iter().map(|end| (format!("shopper-{end}").parse().unwrap(), hold(end))).collect();
        StockShard::from_parts(25, 0, held, [].into())
    }

    #[test]
    fn it_lasts_until_the_first_hold_ends_and_never_too_long() {
        for (shards, until) in [
            (vec![held_until(&[])], Some(300)),
            (vec![held_until(&[]), held_until(&[400, 500])], Some(150)),
            (vec![held_until(&[140, 60]), held_until(&[90])], Some(60)),
            (vec![held_until(&[15])], Some(15)),
            (vec![held_until(&[14]), held_until(&[400])], None),
            (vec![held_until(&[-3])], None),
            (vec![held_until(&[]), StockShard::from_parts(25, 1, [].into(), [].into())], None),
        ] {
            assert_eq!(Exhausted::of(&shards, at(0)).map(|it| it.until), until.map(at), "{shards:?}");
        }
    }

    #[test]
    fn it_is_renewed_before_it_ends_unless_a_hold_ends_then() {
        let sold = Exhausted::of(&[held_until(&[])], at(0)).unwrap();
        assert!(sold.is_fresh(at(219)) && !sold.is_fresh(at(220)));
        let held = Exhausted::of(&[held_until(&[100])], at(0)).unwrap();
        assert!(held.is_fresh(at(99)) && !held.is_fresh(at(100)));
    }
}
