//! The availability item: what readers see of a sale's stock. [`AvailabilityUpdate`] derives it. A run that finds every
//! shard empty may mark the sale as sold out. Every write is conditional on the version that it was derived from. The versions of a
//! product only rise, also when its sale is deleted and made again: a late run of the deleted sale overwrites nothing.

pub(crate) mod form;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use domain::{Availability, ProductId, Timestamp};

use crate::{
    StoreError,
    batch::batch_get,
    error::{Written, conditional},
    item,
    keys::{self, number},
    single::get_item,
};

/// Times that [`AvailabilityUpdate`] reads the item before it gives up. The item has few writers, and each of them
/// writes the complete state.
const UPDATES: usize = 8;

/// The availability items of all sales.
#[derive(Debug, Clone)]
pub struct Availabilities {
    client: Client,
    table: String,
}

/// The compare-and-set of one availability item: read it, derive it, write it as the next version. If another run has
/// written it since it was read, start again.
///
/// The item is read, strongly consistent, before the caller reads the data that it derives the item from. A later
/// change is either in that data, or changes the item's version.
#[derive(Debug)]
#[must_use = "it does nothing before it is read"]
pub struct AvailabilityUpdate {
    of: Availabilities,
    product: ProductId,
    known: Option<Availability>,
    /// The version of the item, or of a deleted sale's; 0 when there is none.
    version: u64,
    tries_left: usize,
}

impl AvailabilityUpdate {
    /// Reads the item for the next try. False after eight tries: another run wrote it each time.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn read(&mut self) -> Result<bool, StoreError> {
        if self.tries_left == 0 {
            return Ok(false);
        }
        self.tries_left -= 1;
        (self.version, self.known) = match self.of.find(&self.product, true).await? {
            Some(found) => (found.version, found.availability),
            None => (0, None),
        };
        Ok(true)
    }

    /// The item as it was read; `None` when there is none, or only that of a deleted sale.
    #[must_use]
    pub fn known(&self) -> Option<&Availability> {
        self.known.as_ref()
    }

    /// Writes the derived item and returns it with its version. `None`: another run has written the item since it was
    /// read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn write(&self, derived: Availability) -> Result<Option<Availability>, StoreError> {
        let next = Availability { version: self.version + 1, ..derived };
        Ok(self.of.put(&self.product, &next, self.version).await?.then_some(next))
    }
}

impl Availabilities {
    /// The availability items in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads the item of `product`. `None` until the sale's shards have been made, and after the sale was deleted.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, product: &ProductId, consistent: bool) -> Result<Option<Availability>, StoreError> {
        Ok(self.find(product, consistent).await?.and_then(|found| found.availability))
    }

    async fn find(&self, product: &ProductId, consistent: bool) -> Result<Option<form::Found>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::availability(product), consistent).await?;
        item.as_ref().map(form::from_item).transpose()
    }

    /// Reads the items of up to a hundred sales, eventually consistent, in one batch.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get_all(&self, products: &[ProductId]) -> Result<HashMap<ProductId, Availability>, StoreError> {
        if products.is_empty() {
            return Ok(HashMap::new());
        }
        let wanted = products.iter().map(keys::availability).collect();
        let items = batch_get(&self.client, &self.table, wanted, false).await?;
        items
            .iter()
            .filter_map(|item| Some((keys::sale_of(item)?, item)))
            .filter_map(|(product, item)| match form::from_item(item) {
                Ok(found) => found.availability.map(|availability| Ok((product, availability))),
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    /// Starts an update of the item of `product`: see [`AvailabilityUpdate`].
    pub fn update(&self, product: &ProductId) -> AvailabilityUpdate {
        AvailabilityUpdate { of: self.clone(), product: product.clone(), known: None, version: 0, tries_left: UPDATES }
    }

    /// Writes an item that was derived from version `from`; 0 means that there was no item. False: another run has
    /// written it since.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn put(&self, product: &ProductId, availability: &Availability, from: u64) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(form::to_item(product, availability)?));
        let put = match from {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            version => put.condition_expression("version = :version").expression_attribute_values(":version", number(version)),
        };
        Ok(matches!(conditional("PutItem", put.send().await)?, Written::Done))
    }

    /// Marks a sale as sold out, if the item still has the `version` that was read before all the shards were found
    /// empty. False: the item has changed, and the mark may be wrong.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn mark_sold_out(&self, product: &ProductId, version: u64, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::availability(product)))
            .update_expression("SET sold_out_at = :now, version = version + :one")
            .condition_expression("version = :version")
            .expression_attribute_values(":now", item::value(&now)?)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":version", number(version));
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }
}
