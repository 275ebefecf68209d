//! `POST /reserve-inventory`, `POST /add-to-cart`: hold units of a sale for one shopper.

mod claims;
mod entrance;
mod late;
mod use_case;
mod work;

use std::sync::Arc;

use contract::{ReserveRequest, ReservedView, same_product};
use domain::Clock;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use entrance::{Entrance, Entrant};
pub use late::ClaimedAgain;
pub use use_case::{Reserved, UnitReservations};

/// The Lambda handler and its dependencies.
pub struct Reserve {
    identity: Identity,
    clock: Arc<dyn Clock>,
    units: UnitReservations,
    entrance: Entrance,
}

impl FromParts for Reserve {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            units: UnitReservations::from_parts(parts),
            entrance: Entrance::from_parts(parts),
        }
    }
}

impl HttpFunction for Reserve {
    const IS_TIMED: bool = true;

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let body: ReserveRequest = http::json_body(request)?;
        same_product(request, &body.product_id)?;
        caller.must_be(body.user_id.as_ref())?;
        let quantity = body.quantity()?;
        let entrant = self.entrance.entrant(request);
        let reserved = self.units.reserve(&caller.shopper, &body.product_id, quantity, Some(&entrant)).await;
        let reserved = reserved.map_err(|refusal| entrant.refuse(refusal.problem(self.clock.now())))?;
        let as_cart = http::route(request) == "/add-to-cart";
        let status = if reserved.is_new { 201 } else { 200 };
        let view = ReservedView::new(&reserved.reservation, self.units.accounts(), as_cart);
        Ok(entrant.answer(http::ok_json(status, &view)))
    }
}
