//! The HTTP contract's shapes and refusals that several functions share: how a sale, a reservation and an order look to a
//! client, and how each refusal is said.

mod operating;
mod order;
mod refusal;
mod requests;
mod reservation;
mod sale;

pub use operating::{not_changeable, product_path};
pub use order::{HistoryView, OrderAccepted, OrderView};
pub use refusal::{
    Holds, Refusal, already_purchased, payment_in_progress, reservation_expired, unknown_order, unknown_reservation,
};
pub use requests::{CheckoutDetails, checked_address, payment_method, reservation_path};
pub use reservation::{ReservationView, ReservedView};
pub use sale::{HoldsView, SaleView};

use domain::Timestamp;
use kit::Problem;
use messages::SendError;
use store::StoreError;

/// A time as clients see it: RFC 3339, UTC, to the second or, where there are fractions, to the millisecond.
#[must_use]
pub fn time(at: Timestamp) -> String {
    if at.subsec_nanosecond() == 0 { at.to_string() } else { format!("{at:.3}") }
}

/// A failed call of the store as a client sees it.
#[must_use]
pub fn store_problem(error: &StoreError) -> Problem {
    if error.is_passing() { Problem::try_again_because(1, error) } else { Problem::internal(error) }
}

/// A message that was not acknowledged as a client sees it: the same request again sends it again.
#[must_use]
pub fn send_problem(error: &SendError) -> Problem {
    Problem::try_again_because(1, error)
}
