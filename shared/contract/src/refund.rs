//! Operators' refunds: the body of a request, and a refund as an order shows it.

use domain::{Currency, Money, Refund, RefundKey, RefundRequest, RefundStatus, Timestamp};
use kit::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    object::Object,
    operating::{amount_minor, currency},
    schemas, time,
};

// Unknown members are refused: a misspelt `amount` would refund everything.
/// Body of `POST /admin/orders/{order_id}/refund`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRefundRequest {
    /// Default: all that is not refunded yet.
    #[schema(value_type = Option<RefundAmount>)]
    amount: Option<Object<RefundAmount>>,
    /// True: the units become available again once the whole price is refunded. Only without `amount`. Default: false.
    return_unit: Option<bool>,
}

/// A part of the order's price.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundAmount {
    #[serde(deserialize_with = "amount_minor")]
    #[schema(value_type = schemas::AmountMinor)]
    amount_minor: i64,
    #[serde(deserialize_with = "currency")]
    #[schema(value_type = schemas::Currency)]
    currency: Currency,
}

impl OrderRefundRequest {
    /// The refund that the body asks for under `key`.
    ///
    /// # Errors
    /// 422 `invalid-request` with a pointer to the member at fault.
    pub fn request(self, key: RefundKey) -> Result<RefundRequest, Problem> {
        let return_unit = self.return_unit.unwrap_or_default();
        let Some(Object(RefundAmount { amount_minor, currency })) = self.amount else {
            return Ok(RefundRequest { key, amount: None, return_unit });
        };
        if return_unit {
            return Err(Problem::invalid_request("units go back only with a whole refund, which has no amount", "/return_unit"));
        }
        let amount =
            Money::new(amount_minor, currency).map_err(|error| Problem::invalid_request(error.to_string(), "/amount"))?;
        Ok(RefundRequest { key, amount: Some(amount), return_unit })
    }
}

/// A refund that an operator requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundView {
    #[schema(value_type = schemas::Money)]
    amount: Money,
    #[schema(value_type = schemas::RefundStatus)]
    status: RefundStatus,
    /// When it was requested.
    #[schema(value_type = schemas::Time)]
    at: String,
    /// For operators: why the payment gateway refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    reason: Option<String>,
    /// In the list for operators: when the payment gateway is next asked for a pending refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    next_try_at: Option<String>,
}

impl RefundView {
    /// The refund as its shopper sees it.
    pub(crate) fn new(refund: &Refund) -> Self {
        Self { amount: refund.amount, status: refund.status, at: time(refund.at), reason: None, next_try_at: None }
    }

    /// The refund with the gateway's reason.
    pub(crate) fn for_operators(refund: &Refund) -> Self {
        Self { reason: refund.reason.clone(), ..Self::new(refund) }
    }

    /// The same, if it is pending, with the time at which the gateway is next asked for it.
    pub(crate) fn with_next_try(self, at: Timestamp) -> Self {
        Self { next_try_at: (self.status == RefundStatus::Pending).then(|| time(at)), ..self }
    }
}
