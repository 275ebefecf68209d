//! `POST /checkout`: make an order of what is reserved and have it paid.

mod use_case;

use std::sync::Arc;

use contract::{CheckoutDetails, OrderAccepted, unknown_reservation};
use domain::{Address, Clock, Order, OrderStatus, ReservationId, ShopperId};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};
use serde::Deserialize;

pub use use_case::OrderPlacement;

/// The Lambda handler and its dependencies.
pub struct Checkout {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: OrderPlacement,
}

#[derive(Deserialize)]
struct Body {
    cart_id: String,
    payment_method: String,
    shipping_address: Address,
    user_id: Option<ShopperId>,
}

/// The answer to the shopper who placed `order`: 202 while it is under way, 200 once it has ended.
#[must_use]
pub fn accepted(request: &Request, order: &Order, now: domain::Timestamp) -> Response {
    let (status, ..) = order.statuses(now);
    let code = match status {
        OrderStatus::AwaitingPayment | OrderStatus::Pending => 202,
        OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => 200,
    };
    http::with_location(http::ok_json(code, &OrderAccepted::new(order, now)), request, &format!("/orders/{}", order.id))
}

impl FromParts for Checkout {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), orders: OrderPlacement::from_parts(parts) }
    }
}

impl HttpFunction for Checkout {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let body: Body = http::json_body(request)?;
        caller.must_be(body.user_id.as_ref())?;
        let cart: ReservationId = body.cart_id.parse().map_err(|_| unknown_reservation())?;
        let details = CheckoutDetails::new(&body.payment_method, Some(body.shipping_address))?;
        let order = self.orders.check_out(&caller.shopper, &cart, &details).await?;
        Ok(accepted(request, &order, self.clock.now()))
    }
}
