//! The members of single kinds of refusal.

use domain::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{ActionView, HoldsView, schemas};

/// Members of `malformed-request`, `card-data` and `invalid-request`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pointer {
    /// The JSON pointer (RFC 6901) to the fault in the body. Empty: the whole body, or a fault outside the body.
    pointer: String,
}

/// Members of `sale-not-started`.
#[derive(Serialize, ToSchema)]
pub(crate) struct SaleNotStarted {
    #[schema(value_type = schemas::Time)]
    pub(crate) starts_at: String,
}

/// Members of `quantity-not-allowed`.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuantityNotAllowed {
    #[schema(value_type = schemas::Quantity)]
    pub(crate) max_per_shopper: u32,
}

/// Members of `sold-out`.
#[derive(Serialize, ToSchema)]
pub(crate) struct SoldOut<'h> {
    /// Available units: fewer than the request asked for.
    pub(crate) available_quantity: u32,
    pub(crate) holds: &'h HoldsView,
}

/// Members of `not-yet-admitted`.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotYetAdmitted {
    /// When it is the shopper's turn.
    #[schema(value_type = schemas::Time)]
    pub(crate) admitted_at: String,
}

/// Members of `proof-of-work-invalid`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProofOfWorkInvalid {
    /// The challenge is none of this shop's (`forged`), or another shopper's or sale's (`foreign`), or its solution is wrong (`wrong`).
    #[schema(value_type = schemas::ProofOfWorkFault)]
    pub(crate) reason: &'static str,
}

/// Members of `not-together`.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotTogether {
    /// Available units: at least as many as the request asked for.
    pub(crate) available_quantity: u32,
    /// The most units that a shopper can have at once.
    #[schema(value_type = schemas::Quantity)]
    pub(crate) largest_quantity: u32,
}

/// Members of `requires-action`.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequiresAction {
    pub(crate) action: ActionView,
}

/// Members of `payment-method-unavailable`.
#[derive(Serialize, ToSchema)]
pub(crate) struct MethodUnavailable {
    /// How the tokens begin that can be used now: `stripe`, `paypal`, `sandbox`. Empty: none for the moment.
    pub(crate) methods: Vec<&'static str>,
}

/// Members of `amount-mismatch`.
#[derive(Serialize, ToSchema)]
pub(crate) struct AmountMismatch {
    /// The price of the order.
    #[schema(value_type = schemas::Money)]
    pub(crate) amount: Money,
}

/// Members of `refund-too-large`.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefundTooLarge {
    /// What is neither refunded nor about to be, in minor units of the order's currency.
    #[schema(minimum = 0)]
    pub(crate) refundable_minor: i64,
}

/// Members of `unhealthy`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Unhealthy {
    /// The dependencies that do not answer.
    pub(crate) failed: Vec<&'static str>,
}
