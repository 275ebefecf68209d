//! The two catalogues of sales: live and ended.

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem};
use domain::{ProductId, Sale};

use super::{Sales, StoredSale, form};
use crate::{
    StoreError,
    batch::batch_get,
    item::Item,
    keys::{self, number, string},
    purchases::transaction::{transact, unbuildable},
};

/// Sales per page of the catalogue.
const LISTED: i32 = 100;

/// One of the two catalogues. Every sale is in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Catalogue {
    /// Sales that may change, also some that are over.
    Live,
    /// Sales that are over, and in which nothing is open any more.
    Ended,
}

impl Catalogue {
    /// Its partition key.
    pub(crate) fn pk(self) -> &'static str {
        match self {
            Self::Live => "SALES",
            Self::Ended => "ENDED",
        }
    }
}

/// A page of a catalogue.
#[derive(Debug)]
pub struct SalesPage {
    /// The sales by product. A sale that cannot be read, such as one in a mode that only a later version knows, does
    /// not hide the others.
    pub sales: Vec<(ProductId, Result<Sale, StoreError>)>,
    /// The last product of this page if there are more: the next page starts after it.
    pub next: Option<ProductId>,
}

impl Sales {
    /// Puts a sale into the live catalogue. May be repeated.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn list(&self, product: &ProductId) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(entry(Catalogue::Live, product)));
        put.send().await.map(|_| ()).map_err(|error| StoreError::call("PutItem", error))
    }

    /// Moves a sale from the live catalogue to the ended one, if it is still as it was read. One transaction. False:
    /// another run has written the sale since.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write conflicts.
    pub async fn retire(&self, settled: &StoredSale) -> Result<bool, StoreError> {
        let product = &settled.sale.product;
        let unchanged = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(keys::sale(product)))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", number(settled.revision))
            .build()
            .map_err(unbuildable)?;
        let put = Put::builder().table_name(&self.table).set_item(Some(entry(Catalogue::Ended, product)));
        let delete = Delete::builder().table_name(&self.table).set_key(Some(keys::catalogue_entry(Catalogue::Live, product)));
        let writes = vec![
            TransactWriteItem::builder().condition_check(unchanged).build(),
            TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build(),
            TransactWriteItem::builder().delete(delete.build().map_err(unbuildable)?).build(),
        ];
        Ok(transact(&self.client, writes).await?.is_ok())
    }

    /// A page of a catalogue, up to a hundred sales by product: one query, then one batch of their descriptions;
    /// eventually consistent. With `after`: the page that follows this product.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn page(&self, catalogue: Catalogue, after: Option<&ProductId>) -> Result<SalesPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :catalogue")
            .expression_attribute_values(":catalogue", string(catalogue.pk()))
            .limit(LISTED)
            .set_exclusive_start_key(after.map(|product| keys::catalogue_entry(catalogue, product)));
        let answer = query.send().await.map_err(|error| StoreError::call("Query", error))?;
        let entries = answer.items.unwrap_or_default();
        let products: Vec<ProductId> =
            entries.iter().filter_map(|entry| entry.get("product")?.as_s().ok()?.parse().ok()).collect();
        if products.is_empty() {
            return Ok(SalesPage { sales: Vec::new(), next: None });
        }
        let found = batch_get(&self.client, &self.table, products.iter().map(keys::sale).collect(), false).await?;
        let named = found.iter().filter_map(|item| Some((keys::sale_of(item)?, form::from_item(item).map(|stored| stored.sale))));
        let mut sales: Vec<_> = named.collect();
        sales.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(SalesPage { sales, next: products.into_iter().next_back().filter(|_| answer.last_evaluated_key.is_some()) })
    }
}

/// An entry of a catalogue.
fn entry(catalogue: Catalogue, product: &ProductId) -> Item {
    let mut entry = keys::catalogue_entry(catalogue, product);
    entry.insert("product".to_owned(), string(product.as_str()));
    entry
}
