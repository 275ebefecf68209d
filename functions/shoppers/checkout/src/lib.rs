//! `POST /checkout`: make an order of a reservation and start its payment.

mod dispatch;
mod methods;
mod returns;
mod use_case;

use std::sync::Arc;

use contract::{CheckoutRequest, OrderAccepted, problems};
use domain::{Accounts, Clock, Order, OrderStatus, ReservationId, Timestamp};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use dispatch::OrderDispatch;
pub use methods::{MethodUnavailable, PaymentMethods};
pub use returns::ShopperReturns;
pub use use_case::{OrderPlacement, PlacementError};

/// The Lambda handler and its dependencies.
pub struct Checkout {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: OrderPlacement,
}

impl FromParts for Checkout {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), orders: OrderPlacement::from_parts(parts) }
    }
}

impl HttpFunction for Checkout {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let body: CheckoutRequest = http::json_body(request)?;
        caller.must_be(body.user_id.as_ref())?;
        let cart: ReservationId = body.cart_id.parse().map_err(|_| problems::unknown_reservation())?;
        let details = body.details()?;
        let order = self.orders.check_out(&caller.shopper, &cart, &details).await.map_err(|error| problem(&error))?;
        Ok(accepted(request, &order, self.orders.methods().accounts(), self.clock.now()))
    }
}

/// The answer to the shopper who placed `order`: 202 while its payment is awaited or under way, 200 once it has ended.
#[must_use]
pub fn accepted(request: &Request, order: &Order, accounts: &Accounts, now: Timestamp) -> Response {
    let (status, ..) = order.statuses(now);
    let code = match status {
        OrderStatus::AwaitingPayment | OrderStatus::Pending => 202,
        OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => 200,
    };
    let view = OrderAccepted::new(order, accounts, now);
    http::with_location(http::ok_json(code, &view), request, &format!("/orders/{}", order.id))
}

/// The problem of a checkout that did not end in an order that was sent to the saga.
#[must_use]
pub fn problem(error: &PlacementError) -> Problem {
    match error {
        PlacementError::UnknownReservation => problems::unknown_reservation(),
        PlacementError::ReservationExpired => problems::reservation_expired(),
        PlacementError::AddressFixed => problems::address_fixed(),
        PlacementError::PaymentInProgress => problems::payment_in_progress(),
        PlacementError::AlreadyPaid => problems::already_paid(),
        PlacementError::TooManyAttempts { pay_by } => problems::too_many_attempts(*pay_by),
        PlacementError::MethodUnavailable(error) => problems::payment_method_unavailable(&error.methods),
        PlacementError::Contended => Problem::try_again(1),
        PlacementError::Price(error) => Problem::internal(error),
        PlacementError::Store(error) => problems::store_failed(error),
        PlacementError::Send(error) => problems::send_failed(error),
    }
}
