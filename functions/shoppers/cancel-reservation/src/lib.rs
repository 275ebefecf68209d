//! `DELETE /reservations/{reservation_id}`: end a hold. `release-stock` sees the deletion in the stream and releases the units.

use contract::{id_path, problems};
use domain::ReservationStatus;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{EndOutcome, Ending, Reservations};

/// The Lambda handler and its dependencies.
pub struct CancelReservation {
    identity: Identity,
    reservations: Reservations,
}

impl FromParts for CancelReservation {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), reservations: parts.reservations() }
    }
}

impl HttpFunction for CancelReservation {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let id = id_path(request, "reservation_id").ok_or_else(problems::unknown_reservation)?;
        let ended = self.reservations.end(&caller.shopper, &id, Ending::Cancelled).await;
        match ended.map_err(|error| problems::store_failed(&error))? {
            EndOutcome::Ended | EndOutcome::Gone => Ok(http::no_content()),
            EndOutcome::Kept(kept) => Err(match kept.status {
                ReservationStatus::Purchased => problems::already_purchased(),
                ReservationStatus::Held | ReservationStatus::Paying => problems::payment_in_progress(),
            }),
        }
    }
}
