//! How a sale admits shoppers.

mod draw;
mod proof_of_work;
mod token_bucket;

use jiff::Timestamp;

use crate::{Sale, ShopperId};

pub use draw::{DrawSeed, Rank};
pub use proof_of_work::{
    Challenge, ChallengeKey, ChallengeKeys, ChallengeRate, ProofOfWork, SignedChallenge, Solution, SolutionFault,
};
pub use token_bucket::{Allowance, BucketEmpty, ShopperRate, TokenBucket};

/// The mode in which a sale admits shoppers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    /// First come, first served.
    #[default]
    Fcfs,
    /// Each shopper has a rank, and is admitted at its share of the ramp.
    Draw {
        /// Seconds from the sale's start until every shopper is admitted, [`Admission::RAMP_SECONDS`].
        ramp_seconds: u32,
    },
}

impl Admission {
    /// How long the ramp of a draw may be, s.
    pub const RAMP_SECONDS: std::ops::RangeInclusive<u32> = 1..=3_600;
}

/// The draw has not admitted the shopper yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the draw admits this shopper at {admitted_at}")]
pub struct NotYetAdmitted {
    /// The shopper's turn: a whole millisecond, at which the draw admits the shopper.
    pub admitted_at: Timestamp,
}

impl Sale {
    /// Whether the sale's draw admits `shopper` at `now`. More requests, devices or addresses do not help: a shopper has one rank.
    ///
    /// # Errors
    /// When it is not the shopper's turn yet.
    pub fn admits(&self, shopper: &ShopperId, now: Timestamp) -> Result<(), NotYetAdmitted> {
        let Admission::Draw { ramp_seconds } = self.draft.admission else { return Ok(()) };
        let rank = self.draw_seed.as_ref().map_or(Rank::LAST, |seed| seed.rank(&self.product, shopper));
        let admitted_at = rank.admitted_at(self.draft.starts_at, ramp_seconds);
        if admitted_at <= now { Ok(()) } else { Err(NotYetAdmitted { admitted_at }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SaleDraft, samples};

    fn sale(admission: Admission, draw_seed: Option<DrawSeed>) -> Sale {
        let draft = SaleDraft { admission, ..samples::draft("2026-11-27T12:00:00Z", "2026-11-27T13:00:00Z") };
        Sale { draw_seed, ..Sale::of("demo".parse().unwrap(), draft) }
    }

    #[test]
    fn a_shopper_is_admitted_from_its_turn_on_and_asking_does_not_bring_it_forward() {
        let sale = sale(Admission::Draw { ramp_seconds: 60 }, Some(DrawSeed::new([7; 32])));
        let shopper: ShopperId = "shopper-1".parse().unwrap();
        let mut now = sale.draft.starts_at;
        let NotYetAdmitted { admitted_at } = sale.admits(&shopper, now).unwrap_err();
        for _ in 0..1_000 {
            assert_eq!(sale.admits(&shopper, now), Err(NotYetAdmitted { admitted_at }));
            now = (now + jiff::SignedDuration::from_millis(17)).min(admitted_at - jiff::SignedDuration::from_nanos(1));
        }
        assert_eq!(sale.admits(&shopper, admitted_at), Ok(()));
        assert_eq!(sale.admits(&shopper, sale.draft.ends_at), Ok(()));
    }

    #[test]
    fn a_sale_without_a_draw_admits_everybody_and_a_draw_without_a_seed_nobody_before_its_end() {
        let (shopper, ramp_seconds) = ("shopper-1".parse().unwrap(), 60);
        let fcfs = sale(Admission::Fcfs, Some(DrawSeed::new([7; 32])));
        assert_eq!(fcfs.admits(&shopper, fcfs.draft.starts_at), Ok(()));
        let draw = sale(Admission::Draw { ramp_seconds }, None);
        let admitted_at = draw.draft.starts_at + jiff::SignedDuration::from_secs(60);
        assert_eq!(draw.admits(&shopper, draw.draft.starts_at), Err(NotYetAdmitted { admitted_at }));
    }

    #[test]
    fn a_ramp_ends_before_its_sale() {
        let with_ramp = |ramp_seconds| sale(Admission::Draw { ramp_seconds }, None).draft;
        assert_eq!(with_ramp(3_600).check(), Ok(()));
        for (ramp, ends_at) in [(0, "13:00:00Z"), (3_601, "14:00:00Z"), (3_600, "12:59:59Z")] {
            let draft = SaleDraft { ends_at: format!("2026-11-27T{ends_at}").parse().unwrap(), ..with_ramp(ramp) };
            assert_eq!(draft.check().unwrap_err().field, "admission/ramp_seconds", "{ramp}");
        }
    }
}
