//! `POST /api/flash-sales/{product_id}/order`: reserve and order in one call.

use std::sync::Arc;

use checkout::OrderPlacement;
use contract::{CheckoutDetails, Refusal, checked_address, payment_method};
use domain::{Address, Clock, ProductId};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};
use reserve::UnitReservations;
use serde::Deserialize;

/// The Lambda handler and its dependencies.
pub struct PlaceOrder {
    identity: Identity,
    clock: Arc<dyn Clock>,
    units: UnitReservations,
    orders: OrderPlacement,
}

#[derive(Default, Deserialize)]
struct Body {
    quantity: Option<i64>,
    payment_method: Option<String>,
    shipping_address: Option<Address>,
}

impl FromParts for PlaceOrder {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            units: UnitReservations::from_parts(parts),
            orders: OrderPlacement::from_parts(parts),
        }
    }
}

impl HttpFunction for PlaceOrder {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let body: Body = http::optional_json_body(request)?.unwrap_or_default();
        let product = http::path_parameter(request, "product_id").and_then(|text| text.parse::<ProductId>().ok());
        let product = product.ok_or_else(Refusal::unknown_product)?;
        let quantity = reserve::wanted(body.quantity)?;
        let address = body.shipping_address.map(checked_address).transpose()?;
        let method = body.payment_method.map(|method| payment_method(&method)).transpose()?;
        let reserved = self.units.reserve(&caller.shopper, &product, quantity).await;
        let reservation = reserved.map_err(|refusal| refusal.problem(self.clock.now()))?.reservation;
        let order = match method {
            Some(payment_method) => {
                let details = CheckoutDetails { payment_method, shipping_address: address };
                self.orders.check_out(&caller.shopper, &reservation.id, &details).await?
            }
            None => self.orders.place(&reservation, address).await?,
        };
        Ok(checkout::accepted(request, &order, self.clock.now()))
    }
}
