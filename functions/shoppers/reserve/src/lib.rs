//! `POST /reserve-inventory`, `POST /add-to-cart`: hold units of a sale for one shopper.

mod claims;
mod late;
mod use_case;
mod work;

use std::sync::Arc;

use contract::{ReserveRequest, ReservedView, same_product};
use domain::Clock;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use late::ClaimedAgain;
pub use use_case::{Reserved, UnitReservations};
pub use work::{ProofsOfWork, ShownWork};

/// The Lambda handler and its dependencies.
pub struct Reserve {
    identity: Identity,
    clock: Arc<dyn Clock>,
    units: UnitReservations,
    works: ProofsOfWork,
}

impl FromParts for Reserve {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            units: UnitReservations::from_parts(parts),
            works: ProofsOfWork::from_parts(parts),
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
        let work = Some(self.works.of(request));
        let reserved = self.units.reserve(&caller.shopper, &body.product_id, quantity, work).await;
        let reserved = reserved.map_err(|refusal| refusal.problem(self.clock.now()))?;
        let as_cart = http::route(request) == "/add-to-cart";
        let status = if reserved.is_new { 201 } else { 200 };
        Ok(http::ok_json(status, &ReservedView::new(&reserved.reservation, self.units.accounts(), as_cart)))
    }
}
