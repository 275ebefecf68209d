//! `GET /reservations/{reservation_id}`: one reservation of the caller's. `GET /reservations?product_id=`: the caller's
//! reservation in a sale, for a client that lost the answer with its id.

use std::sync::Arc;

use contract::{ReservationView, id_path, problems};
use domain::{Accounts, Clock, ProductId, Reservation};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::Reservations;

/// The Lambda handler and its dependencies.
pub struct GetReservation {
    identity: Identity,
    clock: Arc<dyn Clock>,
    reservations: Reservations,
    accounts: Accounts,
}

impl FromParts for GetReservation {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), reservations: parts.reservations(), accounts: parts.accounts() }
    }
}

impl HttpFunction for GetReservation {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let id = id_path(request, "reservation_id");
        let product = match &id {
            Some(id) => id.product().clone(),
            None => asked_for(request)?,
        };
        let found = self.reservations.get(&caller.shopper, &product).await.map_err(|error| problems::store_failed(&error))?;
        let is_asked_for = |found: &Reservation| id.as_ref().is_none_or(|id| found.id == *id);
        match found {
            Some(found) if is_asked_for(&found) && !found.is_overdue(self.clock.now()) => {
                Ok(http::ok_json(200, &ReservationView::new(&found, &self.accounts)))
            }
            Some(_) | None => Err(problems::unknown_reservation()),
        }
    }
}

/// The product in the query of `GET /reservations`.
fn asked_for(request: &Request) -> Result<ProductId, Problem> {
    if http::path_parameter(request, "reservation_id").is_some() {
        return Err(problems::unknown_reservation());
    }
    let product = http::query_parameter(request, "product_id").unwrap_or_default();
    product.parse().map_err(|error| Problem::malformed_request(format!("product_id: {error}"), ""))
}
