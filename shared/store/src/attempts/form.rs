//! The stored form of a payment attempt.

use std::collections::{BTreeMap, HashMap};

use domain::{Action, Attempt, AttemptStatus, GatewayName, IdempotencyKey, Waiting};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{Item, MoneyForm, attributes, parse, second},
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<MoneyForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What a shopper has to do. A kind of action that only a later version knows is left to that version: see [`from_item`].
#[derive(Serialize, Deserialize)]
struct WaitingForm {
    /// `redirect` or `stripe`.
    action: String,
    /// The page, or the client secret.
    value: String,
    /// Epoch seconds.
    until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task_token: Option<String>,
}

/// The attributes that an attempt may lack.
const OPTIONAL: [&str; 6] = ["asked_again", "provider_id", "waiting", "provider_reference", "confirmed", "reason"];

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
        waiting: attempt.waiting.as_ref().map(WaitingForm::from),
        provider_reference: attempt.reference.clone(),
        confirmed: attempt.confirmed.map(MoneyForm::from),
        reason: attempt.reason.clone(),
    }
}

impl From<&Waiting> for WaitingForm {
    fn from(waiting: &Waiting) -> Self {
        let (action, value) = match &waiting.action {
            Action::Redirect { url } => (REDIRECT, url),
            Action::Stripe { client_secret } => (STRIPE, client_secret),
        };
        Self {
            action: action.to_owned(),
            value: value.clone(),
            until: waiting.until.as_second(),
            task_token: waiting.task_token.clone(),
        }
    }
}

impl WaitingForm {
    fn waiting(self, item: &Item) -> Result<Option<Waiting>, StoreError> {
        let action = match self.action.as_str() {
            REDIRECT => Action::Redirect { url: self.value },
            STRIPE => Action::Stripe { client_secret: self.value },
            _ => return Ok(None),
        };
        Ok(Some(Waiting { action, until: second(item, self.until)?, task_token: self.task_token }))
    }
}

const REDIRECT: &str = "redirect";
const STRIPE: &str = "stripe";

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
        waiting: form.waiting.and_then(|waiting| waiting.waiting(item).transpose()).transpose()?,
        reference: form.provider_reference,
        confirmed: form.confirmed.map(|form| form.money(item)).transpose()?,
        reason: form.reason,
    })
}
