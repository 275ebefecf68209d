//! A payment attempt as it is stored.

use domain::{Attempt, AttemptStatus, GatewayName, IdempotencyKey, Money};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{Item, attributes, parse},
    keys,
};

#[derive(Serialize, Deserialize)]
struct AttemptForm {
    gateway: GatewayName,
    idempotency_key: String,
    status: AttemptStatus,
    /// There only if it is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    asked_again: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) fn to_item(attempt: &Attempt) -> Result<Item, StoreError> {
    let body = AttemptForm {
        gateway: attempt.gateway.clone(),
        idempotency_key: attempt.key.to_string(),
        status: attempt.status,
        asked_again: attempt.asked_again,
        provider_reference: attempt.reference.clone(),
        confirmed: attempt.confirmed,
        reason: attempt.reason.clone(),
    };
    attributes(keys::attempt(&attempt.key), &body)
}

pub(crate) fn from_item(key: &IdempotencyKey, item: &Item) -> Result<Attempt, StoreError> {
    let form: AttemptForm = parse(item)?;
    Ok(Attempt {
        key: key.clone(),
        gateway: form.gateway,
        status: form.status,
        asked_again: form.asked_again,
        reference: form.provider_reference,
        confirmed: form.confirmed,
        reason: form.reason,
    })
}
