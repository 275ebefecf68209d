//! `POST /api/flash-sales/{product_id}/order`: reserve and order in one call.

use std::sync::Arc;

use checkout::OrderPlacement;
use contract::{CheckoutDetails, PlaceOrderRequest, product_path};
use domain::Clock;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use reserve::{Entrance, UnitReservations};

/// The Lambda handler and its dependencies.
pub struct PlaceOrder {
    identity: Identity,
    clock: Arc<dyn Clock>,
    units: UnitReservations,
    entrance: Entrance,
    orders: OrderPlacement,
}

impl FromParts for PlaceOrder {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            units: UnitReservations::from_parts(parts),
            entrance: Entrance::from_parts(parts),
            orders: OrderPlacement::from_parts(parts),
        }
    }
}

impl HttpFunction for PlaceOrder {
    const IS_TIMED: bool = true;

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let body: PlaceOrderRequest = http::optional_json_body(request)?.unwrap_or_default();
        let product = product_path(request)?;
        let quantity = body.quantity()?;
        let (payment_method, shipping_address) = body.details()?;
        if let Some(method) = &payment_method {
            // Before units are held for it.
            self.orders.methods().know(method).map_err(|error| checkout::problem(&error.into()))?;
        }
        let entrant = self.entrance.entrant(request);
        let reserved = self.units.reserve(&caller.shopper, &product, quantity, Some(&entrant)).await;
        let reservation = reserved.map_err(|refusal| entrant.refuse(refusal.problem(self.clock.now())))?.reservation;
        let order = match payment_method {
            Some(payment_method) => {
                let details = CheckoutDetails { payment_method, shipping_address };
                self.orders.check_out(&caller.shopper, &reservation.id, &details).await
            }
            None => self.orders.place(&reservation, shipping_address).await,
        };
        let order = order.map_err(|error| entrant.refuse(checkout::problem(&error)))?;
        Ok(entrant.answer(checkout::accepted(request, &order, self.units.accounts(), self.clock.now())))
    }
}
