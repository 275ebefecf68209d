//! What the gate at the edge was told of each sale, so that it is told only what is new. A request to CloudFront costs a
//! thousand times as much as reading this item.
//!
//! A run notes that it is about to tell the gate something, tells it, and then notes what it told. A run that dies in between
//! leaves an item that says "unknown", and the next run tells the gate again.

use aws_sdk_dynamodb::Client;
use domain::ProductId;
use serde::Deserialize;

use crate::{
    StoreError,
    error::{Written, conditional},
    item::{Item, parse},
    keys::{self, number, string},
    single::get_item,
};

/// The records of all sales.
#[derive(Debug, Clone)]
pub struct EdgeRecords {
    client: Client,
    table: String,
}

/// What is known of the gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeRecord {
    /// Rises with every run that tells the gate something; 0 before the first.
    pub version: u64,
    /// What the gate was told, empty for "no such sale". `None`: unknown.
    pub told: Option<String>,
    /// The KeyValueStore that was told.
    pub store: String,
}

#[derive(Deserialize)]
struct RecordForm {
    version: u64,
    #[serde(default)]
    told: Option<String>,
    store: String,
}

impl EdgeRecords {
    /// The records in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The record of a sale, strongly consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, product: &ProductId) -> Result<Option<EdgeRecord>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::edge(product), true).await?;
        let read = |item: Item| parse(&item).map(|RecordForm { version, told, store }| EdgeRecord { version, told, store });
        item.map(read).transpose()
    }

    /// Notes that this run is about to tell `store` something, and returns the version of its note. `None`: another run has
    /// written the record since it was read as `before`.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn begin(&self, product: &ProductId, before: u64, store: &str) -> Result<Option<u64>, StoreError> {
        let mut item = keys::edge(product);
        item.insert("version".to_owned(), number(before + 1));
        item.insert("store".to_owned(), string(store));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match before {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            version => put.condition_expression("version = :version").expression_attribute_values(":version", number(version)),
        };
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(Some(before + 1)),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Notes what the run of this version has told. False: another run has begun since, and may have told something else.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn settle(&self, product: &ProductId, version: u64, told: &str) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::edge(product)))
            .update_expression("SET told = :told")
            .condition_expression("version = :version")
            .expression_attribute_values(":told", string(told))
            .expression_attribute_values(":version", number(version));
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }
}
