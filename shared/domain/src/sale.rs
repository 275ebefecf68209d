//! A sale: what is sold, when, to whom, and its state.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Admission, DrawSeed, Extent, Money, ProductId, ProofOfWork, Quantity, ShardLayout, UNITS_PER_SHARD, ceil_to_second,
    floor_to_second, text,
};

/// A sale as an operator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleDraft {
    /// The product's name, for people, 1–200 characters.
    pub name: String,
    /// More about the product, at most 4,000 characters.
    pub description: Option<String>,
    /// The `https://` address of a picture of the product, at most 2,000 characters.
    pub image_url: Option<String>,
    /// The price of one unit.
    pub price: Money,
    /// Units to sell, 1–400,000.
    pub units: u32,
    /// Shoppers do not learn of the sale before this time.
    pub visible_from: Option<Timestamp>,
    /// When it opens.
    pub starts_at: Timestamp,
    /// When it closes.
    pub ends_at: Timestamp,
    /// How long a hold lasts, 5–3,600 s.
    pub hold_seconds: u32,
    /// How long a hold lasts at most, however many payments of its order fail; from `hold_seconds` to 7,200 s.
    pub max_hold_seconds: u32,
    /// How many units one shopper may take.
    pub max_per_shopper: Quantity,
    /// How shoppers are admitted. The ramp of a draw ends before the sale does.
    pub admission: Admission,
    /// The work that a shopper's device has to show for each request that may hold units.
    pub proof_of_work: Option<ProofOfWork>,
    /// Number of shards; by default one for every [`UNITS_PER_SHARD`] units, at most [`SaleDraft::MOST_SHARDS`].
    pub shards: Option<u32>,
}

/// What is wrong with a draft: the member and its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{should_be}")]
pub struct SaleError {
    /// The member at fault.
    pub field: &'static str,
    /// What it should be.
    pub should_be: &'static str,
}

impl SaleDraft {
    /// Shards that a sale has at most, with all its restocks. The availability item has two bytes for each shard, and
    /// every environment of `reserve` reads it once a second (ADR 14).
    pub const MOST_SHARDS: u32 = 4_000;
    /// Units that a sale has at most, with all its restocks.
    pub const MOST_UNITS: u32 = Self::MOST_SHARDS * ShardLayout::MAX_UNITS_PER_SHARD;
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 200;
    /// The longest description, in characters.
    pub const MAX_DESCRIPTION: usize = 4_000;
    /// The longest address of a picture, in characters.
    pub const MAX_IMAGE_URL: usize = 2_000;
    /// How long a hold may last, s.
    pub const HOLD_SECONDS: RangeInclusive<u32> = 5..=3_600;
    /// How long a hold may last at most, s.
    pub const MAX_HOLD_SECONDS: RangeInclusive<u32> = 5..=7_200;

    /// The default of `max_hold_seconds`: twice the hold, and at least one failed payment prolongs it by
    /// [`MIN_TIME_TO_PAY`](crate::MIN_TIME_TO_PAY).
    #[must_use]
    pub fn default_max_hold_seconds(hold_seconds: u32) -> u32 {
        hold_seconds.saturating_add(hold_seconds.max(120))
    }

    /// The end of a hold that is made at `now`, unless a failed payment prolongs it; a whole second.
    #[must_use]
    pub fn hold_end(&self, now: Timestamp) -> Timestamp {
        ceil_to_second(after(now, self.hold_seconds))
    }

    /// The time beyond which no failed payment prolongs a hold that is made at `now`; a whole second.
    #[must_use]
    pub fn latest_hold_end(&self, now: Timestamp) -> Timestamp {
        floor_to_second(after(now, self.max_hold_seconds))
    }

    /// Checks every limit.
    ///
    /// # Errors
    /// Names the first member that is out of its limits.
    pub fn check(&self) -> Result<(), SaleError> {
        let fail = |field, should_be| Err(SaleError { field, should_be });
        let largest_order = self.price.times(self.max_per_shopper.units());
        if !text::is_line(&self.name, Self::MAX_NAME) {
            return fail("name", "name is a line of 1 to 200 characters that people can read");
        }
        if self.description.as_deref().is_some_and(|text| !text::is_prose(text, Self::MAX_DESCRIPTION)) {
            return fail("description", "description is at most 4,000 characters that people can read");
        }
        if self.image_url.as_deref().is_some_and(|url| !text::is_line(url, Self::MAX_IMAGE_URL) || !url.starts_with("https://")) {
            return fail("image_url", "image_url is an https:// address of at most 2,000 characters");
        }
        if largest_order.is_err() {
            return fail("price", "price times max_per_shopper is more than can be charged at once");
        }
        if !(1..=Self::MOST_UNITS).contains(&self.units) {
            return fail("units", "units is a whole number from 1 to 400,000");
        }
        if self.visible_from.is_some_and(|visible_from| visible_from > self.starts_at) {
            return fail("visible_from", "visible_from is not later than starts_at");
        }
        if self.ends_at <= self.starts_at {
            return fail("ends_at", "ends_at is later than starts_at");
        }
        if let Admission::Draw { ramp_seconds } = self.admission {
            if !Admission::RAMP_SECONDS.contains(&ramp_seconds) {
                return fail("admission/ramp_seconds", "ramp_seconds of a draw is a whole number from 1 to 3,600");
            }
            if after(self.starts_at, ramp_seconds) > self.ends_at {
                return fail("admission/ramp_seconds", "the ramp of a draw ends before the sale does");
            }
        }
        self.proof_of_work.map_or(Ok(()), ProofOfWork::check)?;
        if !Self::HOLD_SECONDS.contains(&self.hold_seconds) {
            return fail("hold_seconds", "hold_seconds is a whole number from 5 to 3,600");
        }
        if !(self.hold_seconds..=*Self::MAX_HOLD_SECONDS.end()).contains(&self.max_hold_seconds) {
            return fail("max_hold_seconds", "max_hold_seconds is a whole number from hold_seconds to 7,200");
        }
        match self.shards {
            Some(shards)
                if shards == 0 || shards > self.units || self.units.div_ceil(shards) > ShardLayout::MAX_UNITS_PER_SHARD =>
            {
                fail("shards", "shards is at least 1, at most the number of units, and leaves at most 100 units to a shard")
            }
            Some(shards) if shards > Self::MOST_SHARDS => fail("shards", "shards is at most 4,000"),
            // A shopper is served from one shard.
            Some(shards) if self.units / shards < self.max_per_shopper.units().min(self.units) => {
                fail("shards", "shards leaves each shard at least max_per_shopper units")
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How the units are spread over shards. By default the shards of a very large sale have more units instead of
    /// being more.
    #[must_use]
    pub fn layout(&self) -> ShardLayout {
        let by_default = || self.units.div_ceil(UNITS_PER_SHARD).min(Self::MOST_SHARDS);
        ShardLayout::new(self.units, self.shards.unwrap_or_else(by_default))
    }
}

/// The time `seconds` after `now`.
fn after(now: Timestamp, seconds: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

/// A sale's stored status: set by its preparation and by operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleStatus {
    /// Its shards are being written: nothing can be reserved yet.
    Preparing,
    /// Open from its start to its end.
    Active,
    /// Stopped for now.
    Paused,
    /// Stopped for good.
    Closed,
}

/// `state` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// Being made or changed: nothing can be reserved, whatever its start.
    InPreparation,
    /// Not open yet.
    Scheduled,
    /// Units can be reserved.
    Open,
    /// Stopped for now.
    Paused,
    /// Open, but no unit is available. Units may come back while some are held.
    SoldOut,
    /// The sale is over.
    Ended,
}

/// Why nothing can be reserved, regardless of the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReservable {
    /// Should have started, but is still being made or changed.
    InPreparation,
    /// Opens later.
    NotStarted {
        /// When it opens.
        starts_at: Timestamp,
    },
    /// Stopped for now.
    Paused,
    /// The sale is over.
    Ended,
    /// More units than one shopper may have.
    QuantityNotAllowed {
        /// How many units are allowed.
        max_per_shopper: Quantity,
    },
}

/// A sale with its layout and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The product; also the sale's id.
    pub product: ProductId,
    /// The operator's description.
    pub draft: SaleDraft,
    /// How the units are spread over shards, as written with the sale, including every restock.
    pub layout: ShardLayout,
    /// Set by its preparation and by operators.
    pub status: SaleStatus,
    /// When an operator closed it. `None` also for a sale that an earlier version of the product closed.
    pub closed_at: Option<Timestamp>,
    /// It was closed while it was in preparation, or is being deleted: shards may be missing.
    pub is_unfinished: bool,
    /// Some shopper's holds ended unpaid more than once: see [`UnpaidEnds`](crate::UnpaidEnds).
    pub has_cooling_shoppers: bool,
    /// Made with the sale, and never changed. `None` only for a sale that an earlier version of the product made.
    pub draw_seed: Option<DrawSeed>,
}

impl Sale {
    /// An active sale as `draft` describes it.
    #[must_use]
    pub fn of(product: ProductId, draft: SaleDraft) -> Self {
        let layout = draft.layout();
        Self {
            product,
            draft,
            layout,
            status: SaleStatus::Active,
            closed_at: None,
            is_unfinished: false,
            has_cooling_shoppers: false,
            draw_seed: None,
        }
    }

    /// Whether shoppers may learn of the sale at `now`. Before that, it is unknown to them.
    #[must_use]
    pub fn is_visible(&self, now: Timestamp) -> bool {
        self.draft.visible_from.is_none_or(|visible_from| visible_from <= now)
    }

    /// Whether `draft` describes this sale. Its units are those that the sale was made with, or those that readers see: with
    /// all restocks.
    #[must_use]
    pub fn is_described_by(&self, draft: &SaleDraft) -> bool {
        let units = if draft.units == self.layout.units() { self.draft.units } else { draft.units };
        SaleDraft { units, ..draft.clone() } == self.draft
    }

    /// Whether `draft` describes this sale with an earlier end, and is otherwise the same.
    #[must_use]
    pub fn is_shortened_by(&self, draft: &SaleDraft) -> bool {
        let same_end = SaleDraft { ends_at: self.draft.ends_at, ..draft.clone() };
        draft.ends_at < self.draft.ends_at && self.is_described_by(&same_end)
    }

    /// Whether every shard exists. Before that, no shopper can reserve in the sale.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.status != SaleStatus::Preparing && !self.is_unfinished
    }

    /// The state of the sale at `now`, if `available` units are left.
    #[must_use]
    pub fn state(&self, now: Timestamp, available: u32) -> SaleState {
        if now >= self.draft.ends_at {
            return SaleState::Ended;
        }
        match self.status {
            SaleStatus::Closed => SaleState::Ended,
            SaleStatus::Paused => SaleState::Paused,
            SaleStatus::Preparing => SaleState::InPreparation,
            SaleStatus::Active if now < self.draft.starts_at => SaleState::Scheduled,
            SaleStatus::Active if available == 0 => SaleState::SoldOut,
            SaleStatus::Active => SaleState::Open,
        }
    }

    /// How a restock of `units` is spread: as densely as the sale was made, or denser if the sale would have too many
    /// shards. `None`: it would have too many in any case.
    #[must_use]
    pub fn restock(&self, units: u32) -> Option<Extent> {
        let draft = &self.draft;
        let density = draft.shards.map_or(UNITS_PER_SHARD, |shards| draft.units.div_ceil(shards.max(1)));
        let dense = Extent::dense(units, density, draft.max_per_shopper);
        let shards = dense.shards.min(SaleDraft::MOST_SHARDS.saturating_sub(self.layout.shards()));
        let fits = units <= shards.saturating_mul(ShardLayout::MAX_UNITS_PER_SHARD);
        fits.then_some(Extent { shards, ..dense })
    }

    /// Whether a shopper may ask for `quantity` units at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn accepts(&self, quantity: Quantity, now: Timestamp) -> Result<(), NotReservable> {
        match self.state(now, u32::MAX) {
            SaleState::InPreparation if now >= self.draft.starts_at => Err(NotReservable::InPreparation),
            SaleState::InPreparation | SaleState::Scheduled => Err(NotReservable::NotStarted { starts_at: self.draft.starts_at }),
            SaleState::Paused => Err(NotReservable::Paused),
            SaleState::Ended => Err(NotReservable::Ended),
            SaleState::Open | SaleState::SoldOut if quantity > self.draft.max_per_shopper => {
                Err(NotReservable::QuantityNotAllowed { max_per_shopper: self.draft.max_per_shopper })
            }
            SaleState::Open | SaleState::SoldOut => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn draft(units: u32) -> SaleDraft {
        let max_per_shopper = Quantity::new(2).unwrap();
        SaleDraft { units, max_per_shopper, ..samples::draft("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z") }
    }

    fn made(draft: SaleDraft) -> Sale {
        Sale::of("demo".parse().unwrap(), draft)
    }

    fn sale(status: SaleStatus) -> Sale {
        Sale { status, ..made(draft(100)) }
    }

    #[test]
    fn a_sale_follows_its_times_and_its_operator() {
        let (before, during, after) = (at("2026-11-20T11:59:59.999Z"), at("2026-11-20T12:00:00Z"), at("2026-11-20T13:00:00Z"));
        for (status, now, available, state) in [
            (SaleStatus::Active, before, 5, SaleState::Scheduled),
            (SaleStatus::Active, during, 5, SaleState::Open),
            (SaleStatus::Active, during, 0, SaleState::SoldOut),
            (SaleStatus::Active, after, 5, SaleState::Ended),
            (SaleStatus::Paused, during, 5, SaleState::Paused),
            (SaleStatus::Paused, after, 5, SaleState::Ended),
            (SaleStatus::Closed, during, 5, SaleState::Ended),
            (SaleStatus::Preparing, before, 5, SaleState::InPreparation),
            (SaleStatus::Preparing, during, 5, SaleState::InPreparation),
            (SaleStatus::Preparing, after, 5, SaleState::Ended),
        ] {
            assert_eq!(sale(status).state(now, available), state, "{status:?} at {now}");
        }
    }

    #[test]
    fn a_sale_is_hidden_until_it_is_visible_and_shortened_by_an_earlier_end_only() {
        let hidden = made(SaleDraft { visible_from: Some(at("2026-11-20T11:00:00Z")), ..draft(100) });
        for (time, is_visible) in [("2026-11-20T10:59:59.999Z", false), ("2026-11-20T11:00:00Z", true)] {
            assert_eq!((hidden.is_visible(at(time)), made(draft(100)).is_visible(at(time))), (is_visible, true), "{time}");
        }
        let ends_at = at("2026-11-20T12:59:59Z");
        assert!(made(draft(100)).is_shortened_by(&SaleDraft { ends_at, ..draft(100) }));
        for other in [
            draft(100),
            SaleDraft { ends_at: at("2026-11-20T13:00:01Z"), ..draft(100) },
            SaleDraft { ends_at, ..draft(101) },
            SaleDraft { ends_at, name: "Other".into(), ..draft(100) },
        ] {
            assert!(!made(draft(100)).is_shortened_by(&other), "{other:?}");
        }
    }

    #[test]
    fn a_sale_says_why_it_does_not_accept() {
        let during = at("2026-11-20T12:00:00Z");
        let three = Quantity::new(3).unwrap();
        let active = sale(SaleStatus::Active);
        assert_eq!(active.accepts(Quantity::ONE, during), Ok(()));
        assert_eq!(
            active.accepts(three, during),
            Err(NotReservable::QuantityNotAllowed { max_per_shopper: Quantity::new(2).unwrap() })
        );
        assert_eq!(active.accepts(three, at("2026-11-20T11:00:00Z")), Err(NotReservable::NotStarted { starts_at: during }));
        assert_eq!(sale(SaleStatus::Paused).accepts(Quantity::ONE, during), Err(NotReservable::Paused));
        // A start that has passed is not announced.
        let preparing = sale(SaleStatus::Preparing);
        let starts_at = during;
        assert_eq!(preparing.accepts(Quantity::ONE, at("2026-11-20T11:00:00Z")), Err(NotReservable::NotStarted { starts_at }));
        assert_eq!(preparing.accepts(Quantity::ONE, during), Err(NotReservable::InPreparation));
        assert_eq!(sale(SaleStatus::Closed).accepts(Quantity::ONE, during), Err(NotReservable::Ended));
    }

    #[test]
    fn a_draft_out_of_its_limits_names_the_member() {
        assert_eq!(draft(100).check(), Ok(()));
        let cases = [
            (SaleDraft { name: " ".into(), ..draft(1) }, "name"),
            (SaleDraft { image_url: Some("http://x".into()), ..draft(1) }, "image_url"),
            (draft(0), "units"),
            (draft(400_001), "units"),
            (SaleDraft { visible_from: Some(at("2026-11-20T12:00:00.001Z")), ..draft(1) }, "visible_from"),
            (SaleDraft { ends_at: draft(1).starts_at, ..draft(1) }, "ends_at"),
            (SaleDraft { hold_seconds: 4, ..draft(1) }, "hold_seconds"),
            (SaleDraft { hold_seconds: 3_601, ..draft(1) }, "hold_seconds"),
            (SaleDraft { max_hold_seconds: 299, ..draft(1) }, "max_hold_seconds"),
            (SaleDraft { max_hold_seconds: 7_201, ..draft(1) }, "max_hold_seconds"),
            (SaleDraft { shards: Some(0), ..draft(10) }, "shards"),
            (SaleDraft { shards: Some(4_001), ..draft(100_025) }, "shards"),
            (SaleDraft { shards: Some(11), ..draft(10) }, "shards"),
            (SaleDraft { shards: Some(1), ..draft(101) }, "shards"),
            (SaleDraft { shards: Some(10), ..draft(10) }, "shards"),
            (SaleDraft { price: Money::new(Money::MAX_MINOR, "USD".parse().unwrap()).unwrap(), ..draft(1) }, "price"),
        ];
        for (draft, field) in cases {
            assert_eq!(draft.check().map_err(|e| e.field), Err(field));
        }
    }

    #[test]
    fn by_default_a_hold_doubles_and_lasts_at_least_two_minutes_longer() {
        for (hold_seconds, max_hold_seconds) in [(5, 125), (119, 239), (120, 240), (300, 600), (3_600, 7_200)] {
            assert_eq!(SaleDraft::default_max_hold_seconds(hold_seconds), max_hold_seconds);
            assert_eq!(SaleDraft { hold_seconds, max_hold_seconds, ..draft(1) }.check(), Ok(()));
        }
        let never_longer = SaleDraft { max_hold_seconds: 300, ..draft(1) };
        assert_eq!(never_longer.check(), Ok(()));
        let now = at("2026-11-20T12:00:00.4Z");
        assert_eq!(never_longer.hold_end(now), at("2026-11-20T12:05:01Z"));
        assert_eq!(draft(1).latest_hold_end(now), at("2026-11-20T12:10:00Z"));
    }

    #[test]
    fn shards_have_25_units_until_there_are_4_000_and_then_up_to_100() {
        for (units, shards, largest) in [
            (10, 1, 10),
            (1_000, 40, 25),
            (99_975, 3_999, 25),
            (100_000, 4_000, 25),
            (100_001, 4_000, 26),
            (250_000, 4_000, 63),
            (SaleDraft::MOST_UNITS, 4_000, 100),
        ] {
            let draft = draft(units);
            assert_eq!(draft.check(), Ok(()), "{units}");
            assert_eq!((draft.layout().shards(), draft.layout().capacities().max()), (shards, Some(largest)), "{units}");
        }
    }

    #[test]
    fn a_restock_is_as_dense_as_the_sale_was_made() {
        let chosen = |units, shards| SaleDraft { shards: Some(shards), max_per_shopper: Quantity::ONE, ..draft(units) };
        for (draft, units, shards) in [
            (draft(1_000), 1_000, 40),
            (draft(1_000), 30, 2),
            (draft(10), 1_000, 40),
            (chosen(1_000, 10), 1_000, 10),
            (chosen(1_000, 1_000), 5, 5),
            (chosen(100, 50), 7, 4),
        ] {
            assert_eq!(made(draft.clone()).restock(units), Some(Extent { units, shards }), "{draft:?}");
        }
    }

    #[test]
    fn a_restock_gets_denser_where_shards_run_out_and_is_refused_where_none_are_left() {
        let sale = made(draft(99_900));
        for (units, shards) in [(100, Some(4)), (101, Some(4)), (400, Some(4)), (401, None)] {
            assert_eq!(sale.restock(units), shards.map(|shards| Extent { units, shards }), "{units}");
        }
        assert_eq!(made(draft(100_000)).restock(1), None);
        let of_an_earlier_version = Sale { layout: ShardLayout::new(1_000_000, 40_000), ..made(draft(100_000)) };
        assert_eq!(of_an_earlier_version.restock(1), None);
    }
}
