//! The refusals of a reservation.

use domain::{Availability, BucketEmpty, NotReservable, NotYetAdmitted, SolutionFault, Timestamp};
use kit::Problem;
use store::StoreError;

use crate::{HoldsView, problems};

/// The stock of a sold-out sale, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Units left, fewer than were asked for.
    pub available: u32,
    /// Units held.
    pub held: u32,
    /// The earliest end of the known holds.
    pub next_ends_at: Option<Timestamp>,
    /// When about half of the held units are back, if nobody pays.
    pub half_end_at: Option<Timestamp>,
}

impl Holds {
    /// The stock by the availability item.
    #[must_use]
    pub fn of(availability: &Availability) -> Self {
        let (available, held) = (availability.available(), availability.held_units());
        let (next_ends_at, half_end_at) = (availability.next_hold_ends_at, availability.half_end_at());
        Self { available, held, next_ends_at, half_end_at }
    }

    /// The held units as a client sees them at `now`.
    pub(crate) fn view(&self, now: Timestamp) -> HoldsView {
        HoldsView::new(self.held, self.next_ends_at, self.half_end_at, now)
    }
}

/// Why a reservation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such sale.
    #[error("unknown product")]
    UnknownProduct,
    /// The sale takes no reservation of this kind, whatever its stock.
    #[error("not reservable")]
    NotReservable(NotReservable),
    /// The sale has fewer units left than were asked for.
    #[error("sold out")]
    SoldOut(Holds),
    /// The sale has enough units left, but no shard has all of them.
    #[error("not together")]
    NotTogether {
        /// Units left: at least as many as were asked for.
        available: u32,
        /// The most units that a shopper can have at once.
        largest: u32,
    },
    /// The draw has not admitted the shopper yet.
    #[error(transparent)]
    NotYetAdmitted(#[from] NotYetAdmitted),
    /// The request has no proof of work, and the sale asks for one.
    #[error("no proof of work")]
    ProofOfWorkRequired,
    /// The request's proof of work shows nothing.
    #[error("proof of work: {0:?}")]
    ProofOfWork(SolutionFault),
    /// The shopper sends requests faster than the shopper's token bucket fills.
    #[error(transparent)]
    RateLimited(#[from] BucketEmpty),
    /// The shopper's holds of this sale ended unpaid or were cancelled more than once.
    #[error("cooling down")]
    CoolingDown {
        /// When the shopper can reserve again.
        until: Timestamp,
    },
    /// The shopper has bought in this sale.
    #[error("already purchased")]
    AlreadyPurchased,
    /// The race was lost too often, or a run of the same request has not ended yet.
    #[error("try again")]
    TryAgain {
        /// Seconds until the request may succeed.
        after_seconds: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotReservable> for Refusal {
    fn from(why: NotReservable) -> Self {
        Self::NotReservable(why)
    }
}

impl Refusal {
    /// The refusal as a client sees it at `now`.
    #[must_use]
    pub fn problem(&self, now: Timestamp) -> Problem {
        match self {
            Self::UnknownProduct => problems::unknown_product(),
            Self::NotReservable(why) => problems::not_reservable(*why, now),
            Self::SoldOut(holds) => problems::sold_out(holds, now),
            Self::NotTogether { available, largest } => problems::not_together(*available, *largest),
            Self::NotYetAdmitted(NotYetAdmitted { admitted_at }) => problems::not_yet_admitted(*admitted_at, now),
            Self::ProofOfWorkRequired => problems::proof_of_work_required(),
            Self::ProofOfWork(fault) => problems::proof_of_work_refused(*fault),
            Self::RateLimited(BucketEmpty { after_seconds }) => problems::rate_limited(*after_seconds),
            Self::CoolingDown { until } => problems::cooling_down(*until, now),
            Self::AlreadyPurchased => problems::already_purchased(),
            Self::TryAgain { after_seconds } => Problem::try_again(*after_seconds),
            Self::Store(error) => problems::store_failed(error),
        }
    }
}
