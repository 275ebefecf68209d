//! A reservation as its owner sees it.

use domain::{Reservation, ReservationStatus};
use serde::Serialize;

use crate::time;

/// The answer to a reservation, the first time and every time after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReservedView {
    success: bool,
    reservation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cart_id: Option<String>,
    product_id: String,
    quantity: u32,
    reservation_expiry: String,
}

impl ReservedView {
    /// `reservation`; with a `cart_id` when it was made by adding to a cart.
    #[must_use]
    pub fn new(reservation: &Reservation, as_cart: bool) -> Self {
        Self {
            success: true,
            reservation_id: reservation.id.to_string(),
            cart_id: as_cart.then(|| reservation.id.to_string()),
            product_id: reservation.id.product().to_string(),
            quantity: reservation.quantity.units(),
            reservation_expiry: time(reservation.expires_at),
        }
    }
}

/// A reservation that is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReservationView {
    reservation_id: String,
    product_id: String,
    quantity: u32,
    status: &'static str,
    reservation_expiry: String,
    created_at: String,
}

impl From<&Reservation> for ReservationView {
    fn from(reservation: &Reservation) -> Self {
        Self {
            reservation_id: reservation.id.to_string(),
            product_id: reservation.id.product().to_string(),
            quantity: reservation.quantity.units(),
            status: match reservation.status {
                ReservationStatus::Held => "held",
                ReservationStatus::Paying => "paying",
                ReservationStatus::Purchased => "purchased",
            },
            reservation_expiry: time(reservation.expires_at),
            created_at: time(reservation.created_at),
        }
    }
}
