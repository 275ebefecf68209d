//! The description of each sale, and the catalogues of all sales.

mod catalogue;
mod deletion;
mod form;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{Extent, ProductId, RestockKey, Sale, SaleStatus, Timestamp};

pub use catalogue::{Catalogue, SalesPage};
pub(crate) use form::AdmissionMode;

use crate::{
    StoreError,
    error::{Written, conditional},
    item::Item,
    keys::{self, number},
    single::get_item,
};

/// The sales of all products.
#[derive(Debug, Clone)]
pub struct Sales {
    client: Client,
    table: String,
}

/// A sale as it was read, with the data that a conditional write needs.
#[derive(Debug, Clone)]
pub struct StoredSale {
    /// The sale itself.
    pub sale: Sale,
    /// Number of shards that were ever made for the sale.
    pub shards_made: u32,
    /// The progress of the preparation: so many shards, counted from the first, are as the sale describes them. Those
    /// above its layout are deleted.
    pub shards_ready: u32,
    /// Rises with every write.
    pub revision: u64,
    /// Finished restocks, oldest first. The layout includes them.
    pub restocks: Vec<Restock>,
    /// A restock whose shards are being made. The layout does not include it yet.
    pub unfinished: Option<Restock>,
    /// Attributes that only a later version knows: written back as they were read.
    unknown: Item,
}

/// Units added to a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restock {
    /// Identifies the operator's request, so that a repetition is recognised.
    pub key: RestockKey,
    /// The units and their shards.
    pub extent: Extent,
    /// The sale's revision that described the restock first. Its shards have the same revision.
    pub revision: u64,
    /// The progress of an unfinished restock: so many of its shards, counted from the first, exist.
    pub shards_ready: u32,
}

/// The outcome of writing a sale.
#[derive(Debug, Clone)]
pub enum WriteOutcome {
    /// The sale was written; this is its stored state.
    Written(StoredSale),
    /// Another run has written the sale since it was read.
    Changed,
}

/// Whether the item is what a write of `item` left, whatever [`Sales::note_cooling`] did since.
fn is_same_revision(mut found: Item, mut item: Item) -> bool {
    found.remove("cooling");
    item.remove("cooling");
    found == item
}

impl StoredSale {
    /// A sale without restocks. The number of shards ever made is `shards_made`, but at least as many as the sale has
    /// now.
    #[must_use]
    pub fn new(sale: Sale, shards_made: u32, revision: u64) -> Self {
        let shards_made = shards_made.max(sale.layout.shards());
        let (restocks, unfinished, unknown) = (Vec::new(), None, Item::new());
        Self { sale, shards_made, shards_ready: 0, revision, restocks, unfinished, unknown }
    }
}

impl Sales {
    /// The sales in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads a sale, eventually consistent. `None`: there is none.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, product: &ProductId) -> Result<Option<Sale>, StoreError> {
        Ok(self.read(product, false).await?.map(|stored| stored.sale))
    }

    /// Reads a sale, strongly consistent, with the data that a write needs.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get_for_write(&self, product: &ProductId) -> Result<Option<StoredSale>, StoreError> {
        self.read(product, true).await
    }

    async fn read(&self, product: &ProductId, consistent: bool) -> Result<Option<StoredSale>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::sale(product), consistent).await?;
        item.as_ref().map(form::from_item).transpose()
    }

    /// Writes a sale in preparation over the one that was read as `before`.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn prepare(&self, sale: &Sale, before: Option<&StoredSale>) -> Result<WriteOutcome, StoreError> {
        let sale = Sale { status: SaleStatus::Preparing, closed_at: None, is_unfinished: false, ..sale.clone() };
        let made = before.map_or(0, |stored| stored.shards_made);
        let last_revision = match before {
            Some(stored) => stored.revision,
            None => self.deleted_revision(&sale.product).await?,
        };
        let record = StoredSale::new(sale, made, last_revision + 1);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(form::to_item(&record)?));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(stored) => {
                put.condition_expression("revision = :revision").expression_attribute_values(":revision", number(stored.revision))
            }
        };
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(WriteOutcome::Written(record)),
            Written::Refused(_) => Ok(WriteOutcome::Changed),
        }
    }

    /// Activates a prepared sale: shoppers can reserve from its start to its end. The caller has made every shard.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn activate(&self, prepared: &StoredSale) -> Result<WriteOutcome, StoreError> {
        let sale = Sale { status: SaleStatus::Active, ..prepared.sale.clone() };
        self.replace(prepared, StoredSale::new(sale, 0, prepared.revision + 1)).await
    }

    /// Records how many shards the preparation of `prepared` has made, so that the next run continues there.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn note_prepared(&self, prepared: &StoredSale, shards_ready: u32) -> Result<WriteOutcome, StoreError> {
        self.replace(prepared, StoredSale { shards_ready, revision: prepared.revision + 1, ..prepared.clone() }).await
    }

    /// Lets the sale that was read as `before` end earlier.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn shorten(&self, before: &StoredSale, ends_at: Timestamp) -> Result<WriteOutcome, StoreError> {
        let mut after = StoredSale { revision: before.revision + 1, ..before.clone() };
        after.sale.draft.ends_at = ends_at;
        self.replace(before, after).await
    }

    /// Changes the status of the sale that was read as `before`: an operator paused, resumed or closed it at `now`.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn change_status(
        &self,
        before: &StoredSale,
        status: SaleStatus,
        now: Timestamp,
    ) -> Result<WriteOutcome, StoreError> {
        let sale = before.sale.with_status(status, now);
        // The progress of a preparation that was closed says nothing about its deletion.
        self.replace(before, StoredSale { sale, shards_ready: 0, revision: before.revision + 1, ..before.clone() }).await
    }

    /// Records a restock before its shards are made. No shopper can claim in them before [`Sales::finish_restock`].
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn begin_restock(&self, before: &StoredSale, key: RestockKey, extent: Extent) -> Result<WriteOutcome, StoreError> {
        let revision = before.revision + 1;
        let unfinished = Some(Restock { key, extent, revision, shards_ready: 0 });
        self.replace(before, StoredSale { revision, unfinished, ..before.clone() }).await
    }

    /// Records how many shards of the unfinished restock exist, so that the next run continues there.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn note_restocked(&self, before: &StoredSale, shards_ready: u32) -> Result<WriteOutcome, StoreError> {
        let unfinished = before.unfinished.clone().map(|restock| Restock { shards_ready, ..restock });
        self.replace(before, StoredSale { revision: before.revision + 1, unfinished, ..before.clone() }).await
    }

    /// Takes the shards of the unfinished restock into the layout. The caller has made all of them.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn finish_restock(&self, before: &StoredSale) -> Result<WriteOutcome, StoreError> {
        let mut after = StoredSale { revision: before.revision + 1, ..before.clone() };
        if let Some(restock) = after.unfinished.take() {
            after.sale.layout = after.sale.layout.restocked(restock.extent);
            after.shards_made = after.sale.layout.shards();
            after.restocks.push(Restock { shards_ready: 0, ..restock });
        }
        self.replace(before, after).await
    }

    /// Writes `after`, if the stored sale is still `before`.
    async fn replace(&self, before: &StoredSale, after: StoredSale) -> Result<WriteOutcome, StoreError> {
        let item = form::to_item(&after)?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", number(before.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(WriteOutcome::Written(after)),
            // An earlier run of this write succeeded, but its answer was lost.
            Written::Refused(Some(found)) if is_same_revision(found.clone(), item) => Ok(WriteOutcome::Written(after)),
            Written::Refused(_) => Ok(WriteOutcome::Changed),
        }
    }

    /// Notes that the sale has shoppers who have to cool down. May be repeated. It is not a new revision, so that it never
    /// costs an operator a write. An operator who read the sale before may undo it: the next unpaid end notes it again.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn note_cooling(&self, product: &ProductId) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::sale(product)))
            .update_expression("SET cooling = :true")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        conditional("UpdateItem", update.send().await).map(|_| ())
    }
}
