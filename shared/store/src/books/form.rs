//! The stored form of an entry in the sandbox's books.

use domain::{GatewayName, IdempotencyKey, PaymentMethod};
use serde::{Deserialize, Serialize};

use super::{Entry, EntryState};
use crate::{
    StoreError,
    item::{Item, MoneyForm, attributes, parse},
    keys,
    word::Word,
};

#[derive(Serialize, Deserialize)]
struct EntryForm {
    state: Word<EntryState>,
    asked: Option<MoneyForm>,
    confirmed: Option<MoneyForm>,
    method: Option<PaymentMethod>,
    #[serde(default)]
    charges: u32,
    #[serde(default)]
    refunds: u32,
    #[serde(default)]
    refund_calls: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunded_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<u32>,
}

pub(crate) fn to_item(gateway: &GatewayName, key: &IdempotencyKey, entry: &Entry) -> Result<Item, StoreError> {
    let body = EntryForm {
        state: Word(entry.state),
        asked: entry.asked.map(MoneyForm::from),
        confirmed: entry.confirmed.map(MoneyForm::from),
        method: entry.method.clone(),
        charges: entry.charges,
        refunds: entry.refunds,
        refund_calls: entry.refund_calls,
        refunded_minor: (!entry.parts.is_empty()).then_some(entry.refunded_minor),
        parts: entry.parts.clone(),
    };
    attributes(keys::sandbox_books(gateway, key), &body)
}

pub(crate) fn from_item(item: &Item) -> Result<Entry, StoreError> {
    let form: EntryForm = parse(item)?;
    let money = |form: Option<MoneyForm>| form.map(|form| form.money(item)).transpose();
    Ok(Entry {
        state: form.state.0,
        asked: money(form.asked)?,
        confirmed: money(form.confirmed)?,
        method: form.method,
        charges: form.charges,
        refunds: form.refunds,
        refund_calls: form.refund_calls,
        refunded_minor: form.refunded_minor.unwrap_or_default(),
        parts: form.parts,
    })
}
