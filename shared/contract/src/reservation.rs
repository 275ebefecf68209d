//! Reservations: the body of the request that makes one, and a reservation as its owner sees it.

use domain::{Accounts, ProductId, Quantity, Reservation, ReservationStatus, ShopperId};
use kit::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{payment::PaymentOption, requests, schemas, time};

/// Body of `POST /reserve-inventory` and `POST /add-to-cart`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ReserveRequest {
    /// The product to reserve.
    #[schema(value_type = schemas::ProductId)]
    pub product_id: ProductId,
    /// Default: 1.
    #[schema(value_type = Option<schemas::Quantity>)]
    quantity: Option<i64>,
    /// The caller's id. Another shopper's is refused.
    #[schema(value_type = Option<schemas::ShopperId>)]
    pub user_id: Option<ShopperId>,
}

impl ReserveRequest {
    /// The units that the request asks for. `None` is more than any sale allows.
    ///
    /// # Errors
    /// 400 when it is less than one.
    pub fn quantity(&self) -> Result<Option<Quantity>, Problem> {
        requests::quantity(self.quantity)
    }
}

/// The answer to a reservation and to each repetition of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reserved)]
pub struct ReservedView {
    /// Always true.
    success: bool,
    #[schema(value_type = schemas::ReservationId)]
    reservation_id: String,
    /// The reservation's id, in the answer to `POST /add-to-cart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::ReservationId)]
    cart_id: Option<String>,
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    #[schema(value_type = schemas::Quantity)]
    quantity: u32,
    /// The end of the hold: unpaid units are released then.
    #[schema(value_type = schemas::Time)]
    reservation_expiry: String,
    /// The ways to pay, the preferred one first.
    payment_options: Vec<PaymentOption>,
}

impl ReservedView {
    /// `reservation`, with a `cart_id` in the answer to `POST /add-to-cart`.
    #[must_use]
    pub fn new(reservation: &Reservation, accounts: &Accounts, as_cart: bool) -> Self {
        Self {
            success: true,
            reservation_id: reservation.id.to_string(),
            cart_id: as_cart.then(|| reservation.id.to_string()),
            product_id: reservation.id.product().to_string(),
            quantity: reservation.quantity.units(),
            reservation_expiry: time(reservation.expires_at),
            payment_options: PaymentOption::all(accounts, &reservation.id, &reservation.accounts),
        }
    }
}

/// The status of a reservation. The product deletes a reservation when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReservationStatus)]
enum StatusView {
    Held,
    Paying,
    Purchased,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reservation)]
pub struct ReservationView {
    #[schema(value_type = schemas::ReservationId)]
    reservation_id: String,
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    #[schema(value_type = schemas::Quantity)]
    quantity: u32,
    status: StatusView,
    /// The end of the hold: unpaid units are released then.
    #[schema(value_type = schemas::Time)]
    reservation_expiry: String,
    #[schema(value_type = schemas::Time)]
    created_at: String,
    /// The ways to pay, the preferred one first.
    payment_options: Vec<PaymentOption>,
}

impl ReservationView {
    /// `reservation`, with the accounts that can take its payment.
    #[must_use]
    pub fn new(reservation: &Reservation, accounts: &Accounts) -> Self {
        Self {
            reservation_id: reservation.id.to_string(),
            product_id: reservation.id.product().to_string(),
            quantity: reservation.quantity.units(),
            status: match reservation.status {
                ReservationStatus::Held => StatusView::Held,
                ReservationStatus::Paying => StatusView::Paying,
                ReservationStatus::Purchased => StatusView::Purchased,
            },
            reservation_expiry: time(reservation.expires_at),
            created_at: time(reservation.created_at),
            payment_options: PaymentOption::all(accounts, &reservation.id, &reservation.accounts),
        }
    }
}
