//! `DELETE /reservations/{reservation_id}`: give held units back. The stream of the deleted reservation releases them.

use contract::{reservation_path, store_problem, unknown_reservation};
use domain::ReservationStatus;
use kit::{
    ConfigurationError, Environment, Problem, Request, Response,
    http::{self, Identity},
};
use store::{EndOutcome, Ending, Reservations};

/// The function, with what it stands on.
pub struct CancelReservation {
    identity: Identity,
    reservations: Reservations,
}

impl CancelReservation {
    /// The function on what it is given.
    #[must_use]
    pub fn new(identity: Identity, reservations: Reservations) -> Self {
        Self { identity, reservations }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let identity = Identity::from_environment(&mut env);
        let table = env.text("RESERVATION_TABLE");
        env.finish()?;
        let client = kit::dynamodb(&kit::aws().await);
        Ok(Self::new(identity, Reservations::new(client, table)))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer(&request).await;
        http::answer(&request, result)
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let id = reservation_path(request, "reservation_id").ok_or_else(unknown_reservation)?;
        let ended = self.reservations.end(&caller.shopper, &id, Ending::Cancelled).await;
        match ended.map_err(|error| store_problem(&error))? {
            EndOutcome::Ended | EndOutcome::Gone => Ok(http::no_content()),
            EndOutcome::Kept(kept) => Err(match kept.status {
                ReservationStatus::Purchased => contract::already_purchased(),
                ReservationStatus::Held | ReservationStatus::Paying => contract::payment_in_progress(),
            }),
        }
    }
}
