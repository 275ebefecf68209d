//! `GET /reservations/{reservation_id}`: one reservation of the caller's. `GET /reservations?product_id=`: the one that the
//! caller has in a sale, for a client that lost the answer to the request that made it.

use std::sync::Arc;

use contract::{ReservationView, reservation_path, store_problem, unknown_reservation};
use domain::{Clock, ProductId, Reservation};
use kit::{
    ConfigurationError, Environment, Problem, Request, Response, SystemClock,
    http::{self, Identity},
};
use store::Reservations;

/// The function, with what it stands on.
pub struct GetReservation {
    identity: Identity,
    clock: Arc<dyn Clock>,
    reservations: Reservations,
}

impl GetReservation {
    /// The function on what it is given.
    #[must_use]
    pub fn new(identity: Identity, clock: Arc<dyn Clock>, reservations: Reservations) -> Self {
        Self { identity, clock, reservations }
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
        Ok(Self::new(identity, Arc::new(SystemClock), Reservations::new(client, table)))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer(&request).await;
        http::answer(&request, result)
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let id = reservation_path(request, "reservation_id");
        let product = match &id {
            Some(id) => id.product().clone(),
            None => asked_for(request)?,
        };
        let found = self.reservations.get(&caller.shopper, &product).await.map_err(|error| store_problem(&error))?;
        let is_asked_for = |found: &Reservation| id.as_ref().is_none_or(|id| found.id == *id);
        match found {
            Some(found) if is_asked_for(&found) && !found.is_overdue(self.clock.now()) => {
                Ok(http::ok_json(200, &ReservationView::from(&found)))
            }
            Some(_) | None => Err(unknown_reservation()),
        }
    }
}

/// The product whose reservation is asked for, where the path names none.
fn asked_for(request: &Request) -> Result<ProductId, Problem> {
    if http::path_parameter(request, "reservation_id").is_some() {
        return Err(unknown_reservation());
    }
    let product = http::query_parameter(request, "product_id").unwrap_or_default();
    product.parse().map_err(|error| Problem::malformed_request(format!("product_id: {error}"), ""))
}
