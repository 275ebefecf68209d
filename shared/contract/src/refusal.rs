//! Every way to be refused units, and how each is said. The codes are the contract's; each has its own metric.

use domain::{Availability, NotReservable, Quantity, Timestamp, seconds_until};
use kit::Problem;
use store::StoreError;

use crate::{HoldsView, store_problem, time};

/// What is held of a sold-out sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Units left, fewer than were asked for.
    pub available: u32,
    /// Units held.
    pub view: HoldsView,
}

impl Holds {
    /// What is known of the stock.
    #[must_use]
    pub fn of(availability: &Availability) -> Self {
        Self { available: availability.available(), view: HoldsView::of(availability) }
    }
}

/// Why a shopper gets no units.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such sale.
    #[error("unknown product")]
    UnknownProduct,
    /// The sale does not accept this, whatever its stock.
    #[error("not reservable")]
    NotReservable(NotReservable),
    /// No shard has enough units left.
    #[error("sold out")]
    SoldOut(Holds),
    /// The shopper has bought in this sale.
    #[error("already purchased")]
    AlreadyPurchased,
    /// The race was lost too often, or a run of the same request has not ended yet.
    #[error("try again")]
    TryAgain {
        /// When.
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
            Self::UnknownProduct => Self::unknown_product(),
            Self::NotReservable(why) => not_reservable(*why, now),
            Self::SoldOut(holds) => Problem::new(409, "sold-out", "Sold out")
                .detail(
                    "Not enough units are left. Units that others hold may come back. If an answer of yours was lost, \
                         GET /reservations?product_id= tells whether you hold some.",
                )
                .member("available_quantity", holds.available)
                .member("holds", &holds.view),
            Self::AlreadyPurchased => already_purchased(),
            Self::TryAgain { after_seconds } => Problem::try_again(*after_seconds),
            Self::Store(error) => store_problem(error),
        }
    }

    /// There is no such sale.
    #[must_use]
    pub fn unknown_product() -> Problem {
        Problem::new(404, "unknown-product", "Unknown product").detail("There is no sale of this product.")
    }
}

/// The shopper has bought.
#[must_use]
pub fn already_purchased() -> Problem {
    Problem::new(409, "already-purchased", "Already purchased").detail("You have bought in this sale; each shopper can buy once.")
}

/// A payment is under way.
#[must_use]
pub fn payment_in_progress() -> Problem {
    Problem::new(409, "payment-in-progress", "Payment in progress")
        .detail("A payment is under way. Look at the order to see what becomes of it.")
}

/// There is no such reservation of the caller's.
#[must_use]
pub fn unknown_reservation() -> Problem {
    Problem::new(404, "unknown-reservation", "Unknown reservation").detail("You have no such reservation.")
}

/// The caller's reservation is over.
#[must_use]
pub fn reservation_expired() -> Problem {
    Problem::new(410, "reservation-expired", "Reservation expired").detail("The time of this reservation is over. Reserve again.")
}

/// There is no such order of the caller's.
#[must_use]
pub fn unknown_order() -> Problem {
    Problem::new(404, "unknown-order", "Unknown order").detail("You have no such order.")
}

fn not_reservable(why: NotReservable, now: Timestamp) -> Problem {
    match why {
        NotReservable::NotStarted { starts_at } => Problem::new(409, "sale-not-started", "The sale has not started")
            .detail(format!("The sale starts at {}.", time(starts_at)))
            .member("starts_at", time(starts_at))
            .retry_after(seconds_until(starts_at, now).max(1)),
        NotReservable::Paused => {
            Problem::new(409, "sale-paused", "The sale is paused").detail("The sale is paused; it may go on later.")
        }
        NotReservable::Ended => Problem::new(410, "sale-ended", "The sale has ended").detail("The sale is over."),
        NotReservable::QuantityNotAllowed { max_per_shopper } => quantity_not_allowed(max_per_shopper),
    }
}

fn quantity_not_allowed(max_per_shopper: Quantity) -> Problem {
    Problem::new(422, "quantity-not-allowed", "Quantity not allowed")
        .detail(format!("A shopper can have at most {} of this product.", max_per_shopper.units()))
        .member("max_per_shopper", max_per_shopper.units())
}
