//! The stored form of a payment attempt.

use std::collections::{BTreeMap, HashMap};

use domain::{Attempt, AttemptStatus, GatewayName, IdempotencyKey};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{Item, MoneyForm, attributes, parse},
    keys,
    word::Word,
};

#[derive(Serialize, Deserialize)]
struct AttemptForm {
    gateway: GatewayName,
    idempotency_key: String,
    status: Word<AttemptStatus>,
    /// Stored only if true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    asked_again: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<MoneyForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The attributes that an attempt may lack.
const OPTIONAL: [&str; 5] = ["asked_again", "provider_id", "provider_reference", "confirmed", "reason"];

/// An update that writes an attempt over its item.
pub(crate) struct Change {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: Item,
}

fn form(attempt: &Attempt) -> AttemptForm {
    AttemptForm {
        gateway: attempt.gateway.clone(),
        idempotency_key: attempt.key.to_string(),
        status: Word(attempt.status),
        asked_again: attempt.asked_again,
        provider_id: attempt.provider_id.clone(),
        provider_reference: attempt.reference.clone(),
        confirmed: attempt.confirmed.map(MoneyForm::from),
        reason: attempt.reason.clone(),
    }
}

pub(crate) fn to_item(attempt: &Attempt) -> Result<Item, StoreError> {
    attributes(keys::attempt(&attempt.key), &form(attempt))
}

/// Sets every attribute that this version knows. Attributes that only a later version knows stay.
pub(crate) fn to_change(attempt: &Attempt) -> Result<Change, StoreError> {
    let attributes = BTreeMap::from_iter(attributes(Item::new(), &form(attempt))?);
    let set: Vec<String> = attributes.keys().map(|name| format!("#{name} = :new_{name}")).collect();
    let removed: Vec<String> =
        OPTIONAL.iter().filter(|name| !attributes.contains_key(**name)).map(|name| format!("#{name}")).collect();
    let remove = if removed.is_empty() { String::new() } else { format!(" REMOVE {}", removed.join(", ")) };
    let names = attributes.keys().map(String::as_str).chain(OPTIONAL);
    Ok(Change {
        expression: format!("SET {}{remove}", set.join(", ")),
        names: names.map(|name| (format!("#{name}"), name.to_owned())).collect(),
        values: attributes.into_iter().map(|(name, value)| (format!(":new_{name}"), value)).collect(),
    })
}

pub(crate) fn from_item(key: &IdempotencyKey, item: &Item) -> Result<Attempt, StoreError> {
    let form: AttemptForm = parse(item)?;
    Ok(Attempt {
        key: key.clone(),
        gateway: form.gateway,
        status: form.status.0,
        asked_again: form.asked_again,
        provider_id: form.provider_id,
        reference: form.provider_reference,
        confirmed: form.confirmed.map(|form| form.money(item)).transpose()?,
        reason: form.reason,
    })
}
