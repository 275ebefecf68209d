//! The stored form of a payment attempt.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Action, Attempt, AttemptStatus, GatewayName, IdempotencyKey, LateMoney, Waiting};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{Item, MoneyForm, attributes, parse, second},
    keys::{self, number},
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened_by: Option<u32>,
    /// The money goes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    goes_back: bool,
    /// The attempt that the late money pays by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pays_by: Option<u32>,
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

/// The attributes that an attempt may lack, and that every change writes or removes.
const OPTIONAL: [&str; 7] = ["asked_again", "provider_id", "waiting", "provider_reference", "confirmed", "reason", "opened_by"];
/// The attributes that only [`decide`] writes: a run that has read the attempt before must not undo the decision.
const DECIDED: [&str; 2] = ["goes_back", "pays_by"];

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
        opened_by: attempt.opened_by,
        goes_back: attempt.late_money == Some(LateMoney::GoesBack),
        pays_by: match attempt.late_money {
            Some(LateMoney::PaysBy(number)) => Some(number),
            Some(LateMoney::GoesBack) | None => None,
        },
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
    let mut attributes = BTreeMap::from_iter(attributes(Item::new(), &form(attempt))?);
    attributes.retain(|name, _| !DECIDED.contains(&name.as_str()));
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

/// The attribute and the value that record a decision about late money, which an attempt takes once: see [`UNDECIDED`].
pub(crate) fn decide(late: LateMoney) -> (&'static str, AttributeValue) {
    match late {
        LateMoney::GoesBack => ("goes_back", AttributeValue::Bool(true)),
        LateMoney::PaysBy(attempt) => ("pays_by", number(attempt)),
    }
}

/// Nothing is decided about the late money of an attempt.
pub(crate) const UNDECIDED: &str = "attribute_not_exists(goes_back) AND attribute_not_exists(pays_by)";

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
        opened_by: form.opened_by,
        late_money: match (form.goes_back, form.pays_by) {
            (true, _) => Some(LateMoney::GoesBack),
            (false, Some(attempt)) => Some(LateMoney::PaysBy(attempt)),
            (false, None) => None,
        },
    })
}
