//! Members of requests that several functions read.

use domain::{Address, PaymentMethod, ReservationId};
use kit::{Problem, Request};

/// How an order is paid and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutDetails {
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The address.
    pub shipping_address: Option<Address>,
}

impl CheckoutDetails {
    /// Checks a payment method and an address as they were sent.
    ///
    /// # Errors
    /// 422 `invalid-request` with a pointer to the member at fault.
    pub fn new(method: &str, shipping_address: Option<Address>) -> Result<Self, Problem> {
        let shipping_address = shipping_address.map(checked_address).transpose()?;
        Ok(Self { payment_method: payment_method(method)?, shipping_address })
    }
}

/// Checks an address as it was sent.
///
/// # Errors
/// 422 `invalid-request` with a pointer to the member at fault.
pub fn checked_address(address: Address) -> Result<Address, Problem> {
    match address.check() {
        Ok(()) => Ok(address),
        Err(error) => Err(Problem::invalid_request(error.to_string(), &format!("/shipping_address/{}", error.field))),
    }
}

/// Checks a payment method as it was sent.
///
/// # Errors
/// 422 `invalid-request`.
pub fn payment_method(text: &str) -> Result<PaymentMethod, Problem> {
    text.parse().map_err(|error: domain::PaymentMethodError| Problem::invalid_request(error.to_string(), "/payment_method"))
}

/// The reservation or order id in the path. `None`: what is there is no such id, so nothing can be found by it.
#[must_use]
pub fn reservation_path(request: &Request, parameter: &str) -> Option<ReservationId> {
    kit::http::path_parameter(request, parameter)?.parse().ok()
}
