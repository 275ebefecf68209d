//! A payment attempt as operators see it.

use domain::{Attempt, AttemptStatus, LateMoney, Money};
use serde::Serialize;
use utoipa::ToSchema;

use crate::schemas;

/// An attempt to pay an order, for operators. It has nothing with which a payment could be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    attempt: u32,
    /// The account at a payment provider that was asked last.
    gateway: String,
    #[schema(value_type = schemas::AttemptStatus)]
    status: AttemptStatus,
    /// The key by which the provider knows the payment.
    idempotency_key: String,
    /// The provider's own id of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    provider_id: Option<String>,
    /// The provider's reference, once authorised or charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    transaction_id: Option<String>,
    /// The amount that the provider says it charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Money)]
    confirmed: Option<Money>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    reason: Option<String>,
    /// Its money came late, and pays by this attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, minimum = 1)]
    late_money_pays_by: Option<u32>,
    /// Its money came late, and goes back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    late_money_goes_back: bool,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            attempt: attempt.key.attempt,
            gateway: attempt.gateway.to_string(),
            status: attempt.status,
            idempotency_key: attempt.provider_key().to_string(),
            provider_id: attempt.provider_id.clone(),
            transaction_id: attempt.reference.clone(),
            confirmed: attempt.confirmed,
            reason: attempt.reason.clone(),
            late_money_pays_by: match attempt.late_money {
                Some(LateMoney::PaysBy(number)) => Some(number),
                Some(LateMoney::GoesBack) | None => None,
            },
            late_money_goes_back: attempt.late_money == Some(LateMoney::GoesBack),
        }
    }
}
