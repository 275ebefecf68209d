//! Helpers that the stored forms of all aggregates share. Each form is a file beside its aggregate and converts to and
//! from the domain's type. An item that does not parse is corrupt.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{StoreError, keys::string};

/// An item as the SDK represents it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attributes of `body`, together with those of its key.
pub(crate) fn attributes<T: Serialize>(key: Item, body: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(body).map_err(|error| StoreError::corrupt(name(&key), error))?;
    item.extend(key);
    Ok(item)
}

/// One value as an attribute.
pub(crate) fn value<T: Serialize>(of: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(of).map_err(|error| StoreError::corrupt("(new)", error))
}

/// Parses an item as the form `T`.
pub(crate) fn parse<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    // `serde_dynamo` would panic. Found by the fuzz target `item`, which begins with such an item.
    if item.values().any(is_unknown) {
        return Err(StoreError::corrupt(name(item), "this version knows not all types of its attributes"));
    }
    serde_dynamo::from_item(item.clone()).map_err(|error| StoreError::corrupt(name(item), error))
}

/// Whether the value, or one in it, has a type that the SDK does not know.
fn is_unknown(value: &AttributeValue) -> bool {
    value.is_unknown()
        || value.as_m().is_ok_and(|members| members.values().any(is_unknown))
        || value.as_l().is_ok_and(|items| items.iter().any(is_unknown))
}

/// Partition and sort key in readable form, for error messages.
pub(crate) fn name(item: &Item) -> String {
    let part = |attribute: &str| item.get(attribute).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    format!("{} / {}", part("pk"), part("sk"))
}

pub(crate) fn second(of: &Item, seconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(seconds).map_err(|error| StoreError::corrupt(name(of), error))
}

pub(crate) fn money(item: &Item, amount_minor: i64, currency: Currency) -> Result<Money, StoreError> {
    Money::new(amount_minor, currency).map_err(|error| StoreError::corrupt(name(item), error))
}

/// A `String` attribute for an id.
pub(crate) fn id(of: &impl ToString) -> AttributeValue {
    string(of.to_string())
}

/// Money as an attribute. Unlike money in a request, it ignores fields that a later version has added.
#[derive(Serialize, Deserialize)]
pub(crate) struct MoneyForm {
    amount_minor: i64,
    currency: Currency,
}

impl From<Money> for MoneyForm {
    fn from(money: Money) -> Self {
        Self { amount_minor: money.amount_minor(), currency: money.currency() }
    }
}

impl MoneyForm {
    /// Converts to the domain's type; `item` is named if the amount is invalid.
    pub(crate) fn money(self, item: &Item) -> Result<Money, StoreError> {
        money(item, self.amount_minor, self.currency)
    }
}
