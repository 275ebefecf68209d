//! The stored form of every kind of item, written out here by hand: items of earlier versions must stay readable. A test that
//! writes with today's code cannot notice that an attribute was renamed.
//!
//! Each test puts an item into its table, and the store must read the domain's value from it. The store then writes this value,
//! which must give the same item again. If a form is meant to change, add a second item here in the old form.

mod purchases;
mod stock;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::Timestamp;
use serde_json::Value;

use crate::shop::{NOW, RawItem, Shop, at};

/// An item in DynamoDB's JSON, except that bytes are a list of numbers.
fn item(json: &Value) -> RawItem {
    json.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(json: &Value) -> AttributeValue {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "B" => AttributeValue::B(Blob::new(serde_json::from_value::<Vec<u8>>(value.clone()).unwrap())),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(value.as_bool().unwrap()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(item(value)),
        other => panic!("{other} is not used in any item"),
    }
}

/// `json` with some attributes changed or added.
fn with(json: &Value, changes: &Value) -> Value {
    let mut changed = json.clone();
    changed.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    changed
}

/// A time of the tests' day as text, such as `…T12:05:00Z`.
fn on_the_day(time_of_day: &str) -> String {
    format!("{}T{time_of_day}Z", &at(NOW).to_string()[..10])
}

fn seconds(time: Timestamp) -> String {
    time.as_second().to_string()
}

fn milliseconds(time: Timestamp) -> String {
    time.as_millisecond().to_string()
}

async fn put(shop: &Shop, table: &str, json: &Value) {
    shop.dynamo.client().put_item().table_name(table).set_item(Some(item(json))).send().await.unwrap();
}

async fn assert_stored(shop: &Shop, table: &str, (pk, sk): (&str, &str), json: &Value) {
    assert_eq!(shop.raw(table, pk, sk).await.unwrap(), item(json), "{pk} / {sk}");
}
