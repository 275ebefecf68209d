//! Deletes a sale in which nothing is held or sold. The sale itself goes last, so that a repetition finds what is left.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::{ProductId, Sale};
use serde::{Deserialize, Serialize};

use super::{Catalogue, Sales, StoredSale, WriteOutcome};
use crate::{
    StoreError, availability,
    item::{attributes, parse},
    keys::{self, number},
    purchases::transaction::{transact, unbuildable},
    single::get_item,
};

#[derive(Serialize, Deserialize)]
struct DeletedForm {
    revision: u64,
}

impl Sales {
    /// Notes that the shards of the closed sale that was read as `before` are being deleted. From then on, shards may be
    /// missing.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn begin_deletion(&self, before: &StoredSale) -> Result<WriteOutcome, StoreError> {
        let sale = Sale { is_unfinished: true, ..before.sale.clone() };
        let after = StoredSale { sale, shards_ready: 0, revision: before.revision + 1, ..before.clone() };
        self.replace(before, after).await
    }

    /// Deletes the sale with its availability and its catalogue entries, if it is still as it was read. The caller has
    /// deleted its shards. One transaction. False: another run has written or deleted the sale since.
    ///
    /// The sale's last revision stays: a slow run may still write shards of the deleted sale. A new sale of the product
    /// has later revisions, so these shards count as left over. The version of the availability item stays, too, and rises: a slow
    /// run that read the item before writes nothing.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write conflicts.
    pub async fn delete(&self, deleted: &StoredSale) -> Result<bool, StoreError> {
        let product = &deleted.sale.product;
        let sale = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(keys::sale(product)))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", number(deleted.revision));
        let mut writes = vec![TransactWriteItem::builder().delete(sale.build().map_err(unbuildable)?).build()];
        let entries = [Catalogue::Live, Catalogue::Ended].map(|catalogue| keys::catalogue_entry(catalogue, product));
        writes.push(availability::form::deletion(&self.table, product, deleted.sale.over_at())?);
        for key in entries {
            let delete = Delete::builder().table_name(&self.table).set_key(Some(key)).build().map_err(unbuildable)?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        let last = attributes(keys::deleted_sale(product), &DeletedForm { revision: deleted.revision })?;
        let last = Put::builder().table_name(&self.table).set_item(Some(last)).build().map_err(unbuildable)?;
        writes.push(TransactWriteItem::builder().put(last).build());
        Ok(transact(&self.client, writes).await?.is_ok())
    }

    /// The last revision of the deleted sale of this product; 0 if there was none.
    pub(super) async fn deleted_revision(&self, product: &ProductId) -> Result<u64, StoreError> {
        let item = get_item(&self.client, &self.table, keys::deleted_sale(product), true).await?;
        Ok(item.as_ref().map(parse::<DeletedForm>).transpose()?.map_or(0, |form| form.revision))
    }
}
