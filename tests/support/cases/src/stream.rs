//! A change of an item, and the DynamoDB stream record of it.

use serde_json::{Map, Value, json};

use crate::{ids, values::END_SECONDS};

/// The sequence number of the first record, and the step between the numbers of a batch.
const SEQUENCE_NUMBER: u128 = 4_421_584_500_000_000_017_450_439_001;
const BETWEEN_SEQUENCE_NUMBERS: u128 = 91;

/// The tables whose streams carry new images only.
const NEW_IMAGES_ONLY: [&str; 2] = ["OrderTable", "StockTable"];

/// A change of one item. Images are plain JSON: numbers, texts, maps and lists.
#[derive(Debug, Clone)]
pub struct Change {
    old: Option<Value>,
    new: Option<Value>,
    is_by_ttl: bool,
}

/// A new item.
pub(crate) fn insert(new: Value) -> Change {
    Change { old: None, new: Some(new), is_by_ttl: false }
}

/// An item before and after a change.
pub(crate) fn modify(old: Value, new: Value) -> Change {
    Change { old: Some(old), new: Some(new), is_by_ttl: false }
}

/// A deleted item.
pub(crate) fn remove(old: Value) -> Change {
    Change { old: Some(old), new: None, is_by_ttl: false }
}

impl Change {
    /// Marks the deletion as one by DynamoDB's TTL.
    pub(crate) fn by_ttl(self) -> Self {
        Self { is_by_ttl: true, ..self }
    }
}

/// The record at position `at` of a batch; the names are those of function and case.
pub(crate) fn record(names: &[&str; 2], at: usize, table: &str, change: &Change) -> Value {
    let name = match (&change.old, &change.new) {
        (None, _) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (Some(_), None) => "REMOVE",
    };
    let item = change.old.as_ref().or(change.new.as_ref()).expect("a change has an image");
    let images =
        [("OldImage", change.old.as_ref().filter(|_| !NEW_IMAGES_ONLY.contains(&table))), ("NewImage", change.new.as_ref())];
    let mut written = Map::from_iter([("Keys".to_owned(), attributes(&json!({"pk": item["pk"], "sk": item["sk"]})))]);
    written.extend(images.iter().filter_map(|(name, image)| Some(((*name).to_owned(), attributes((*image)?)))));
    let size = Value::Object(written.clone()).to_string().len();
    let number = SEQUENCE_NUMBER + BETWEEN_SEQUENCE_NUMBERS * u128::try_from(at).unwrap();
    written.extend([
        ("ApproximateCreationDateTime".to_owned(), json!(END_SECONDS + i64::try_from(at).unwrap())),
        ("SequenceNumber".to_owned(), json!(number.to_string())),
        ("SizeBytes".to_owned(), json!(size)),
        ("StreamViewType".to_owned(), json!(if NEW_IMAGES_ONLY.contains(&table) { "NEW_IMAGE" } else { "NEW_AND_OLD_IMAGES" })),
    ]);
    let mut record = json!({
        "eventID": ids::digits(&[names[0], names[1], &at.to_string(), "record"]),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": written,
        "eventSourceARN":
            format!("arn:aws:dynamodb:us-east-1:123456789012:table/flash-sale-{table}/stream/2026-11-01T10:00:00.000"),
    });
    if change.is_by_ttl {
        record["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    }
    record
}

/// An item with the types of DynamoDB: `{"pk": {"S": "SHARD#demo#0"}, "capacity": {"N": "25"}}`.
fn attributes(item: &Value) -> Value {
    let members = item.as_object().expect("an item is an object");
    members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"S": text}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::Object(_) => json!({"M": attributes(value)}),
        Value::Array(items) => json!({"L": items.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Null | Value::Bool(_) => panic!("no attribute of the product is a {value}"),
    }
}
