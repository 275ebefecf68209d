//! Sales: their description, and the catalogue of all of them.

use aws_sdk_dynamodb::{Client, types::ReturnValuesOnConditionCheckFailure};
use domain::{ProductId, Sale, SaleStatus};

use crate::{
    StoreError,
    error::{Written, conditional},
    items,
    keys::{self, number, string},
    stock::batch_get,
};

/// The sales that one catalogue lists at most.
const LISTED: i32 = 100;

/// All sales.
#[derive(Debug, Clone)]
pub struct Sales {
    client: Client,
    table: String,
}

/// A sale as it was read, with what a conditional write of it needs.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The sale.
    pub sale: Sale,
    /// Shards that were ever made for it.
    pub shards_made: u32,
    /// Rises with every write.
    pub revision: u64,
}

/// Some sales of the catalogue.
#[derive(Debug)]
pub struct SalesPage {
    /// The sales by product; one that cannot be read keeps no other from being there.
    pub sales: Vec<(ProductId, Result<Sale, StoreError>)>,
    /// The last product of this page, when there are more: where the next page starts.
    pub next: Option<ProductId>,
}

/// What came of writing a sale.
#[derive(Debug, Clone)]
pub enum WriteOutcome {
    /// It is written; this is what is there now.
    Written(Stored),
    /// Somebody else wrote it in between.
    Changed,
}

impl Sales {
    /// The sales in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads a sale. `None`: there is none.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, product: &ProductId) -> Result<Option<Sale>, StoreError> {
        Ok(self.read(product, false).await?.map(|stored| stored.sale))
    }

    /// Reads a sale strongly consistent, for writing it.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get_for_write(&self, product: &ProductId) -> Result<Option<Stored>, StoreError> {
        self.read(product, true).await
    }

    async fn read(&self, product: &ProductId, consistent: bool) -> Result<Option<Stored>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(keys::sale(product))).consistent_read(consistent);
        let answer = get.send().await.map_err(|error| StoreError::call("GetItem", error))?;
        answer.item.as_ref().map(items::sale).transpose()
    }

    /// Writes a sale that is being prepared, over what was read as `before`.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn prepare(&self, sale: &Sale, before: Option<&Stored>) -> Result<WriteOutcome, StoreError> {
        let sale = Sale { status: SaleStatus::Preparing, ..sale.clone() };
        let made = before.map_or(0, |stored| stored.shards_made);
        let record =
            Stored { shards_made: made.max(sale.layout.shards), revision: before.map_or(1, |stored| stored.revision + 1), sale };
        let put = self.client.put_item().table_name(&self.table).set_item(Some(items::sale_item(&record)?));
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

    /// Opens a prepared sale to its times: every shard of it is there.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn activate(&self, prepared: &Stored) -> Result<WriteOutcome, StoreError> {
        let record = Stored {
            sale: Sale { status: SaleStatus::Active, ..prepared.sale.clone() },
            shards_made: prepared.sale.layout.shards,
            revision: prepared.revision + 1,
        };
        let item = items::sale_item(&record)?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", number(prepared.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(WriteOutcome::Written(record)),
            // The answer to an earlier run of this write was lost.
            Written::Refused(found) if found.as_ref() == Some(&item) => Ok(WriteOutcome::Written(record)),
            Written::Refused(_) => Ok(WriteOutcome::Changed),
        }
    }

    /// Puts a sale into the catalogue. May be repeated.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn list(&self, product: &ProductId) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(keys::catalogue_entry(product)))
            .item("product", string(product.as_str()));
        put.send().await.map(|_| ()).map_err(|error| StoreError::call("PutItem", error))
    }

    /// The first hundred sales of the catalogue, by product: one query, then one batch of their descriptions.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn catalogue(&self) -> Result<Vec<Sale>, StoreError> {
        let page = self.page(None).await?;
        page.sales.into_iter().map(|(_, sale)| sale).collect()
    }

    /// A hundred sales of the catalogue, by product: one query, then one batch of their descriptions; eventually consistent.
    /// `after`: the page that follows this product.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn page(&self, after: Option<&ProductId>) -> Result<SalesPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :catalogue")
            .expression_attribute_values(":catalogue", string(keys::CATALOGUE))
            .limit(LISTED)
            .set_exclusive_start_key(after.map(keys::catalogue_entry));
        let answer = query.send().await.map_err(|error| StoreError::call("Query", error))?;
        let entries = answer.items.unwrap_or_default();
        let products: Vec<ProductId> =
            entries.iter().filter_map(|entry| entry.get("product")?.as_s().ok()?.parse().ok()).collect();
        if products.is_empty() {
            return Ok(SalesPage { sales: Vec::new(), next: None });
        }
        let found = batch_get(&self.client, &self.table, products.iter().map(keys::sale).collect(), false).await?;
        let named = found.iter().filter_map(|item| Some((keys::sale_of(item)?, items::sale(item).map(|stored| stored.sale))));
        let mut sales: Vec<_> = named.collect();
        sales.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(SalesPage { sales, next: products.into_iter().next_back().filter(|_| answer.last_evaluated_key.is_some()) })
    }
}
