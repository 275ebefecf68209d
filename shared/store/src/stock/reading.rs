//! Reads shards, a hundred at a time.

use domain::{Availability, ProductId, ShardLayout, ShardNumber, StockShard};

use super::{Stock, form};
use crate::{
    StoreError, availability,
    batch::{KEYS_IN_A_BATCH, batch_get},
    item::Item,
    keys,
};

/// A page of a sale's stock. Items that do not exist are left out.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The availability item; on the first page only.
    pub availability: Option<Availability>,
    /// The shards of this page.
    pub shards: Vec<(ShardNumber, StockShard)>,
    /// Another page follows.
    pub more: bool,
}

impl Stock {
    /// Shards that [`Stock::read`] reads at once.
    pub const READ_AT_ONCE: usize = KEYS_IN_A_BATCH;

    /// The shards of a sale, in batches that [`Stock::read`] reads at once.
    #[must_use]
    pub fn batches(layout: &ShardLayout) -> Vec<Vec<ShardNumber>> {
        let numbers: Vec<ShardNumber> = layout.numbers().collect();
        numbers.chunks(Self::READ_AT_ONCE).map(<[ShardNumber]>::to_vec).collect()
    }

    /// Reads every shard of a sale, strongly consistent: one `BatchGetItem` per hundred.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or a shard is missing.
    pub async fn read_all(
        &self,
        product: &ProductId,
        layout: &ShardLayout,
    ) -> Result<Vec<(ShardNumber, StockShard)>, StoreError> {
        let all = layout.numbers().count();
        let mut shards = Vec::with_capacity(all);
        for some in Self::batches(layout) {
            shards.extend(self.read(product, &some).await?);
        }
        if shards.len() != all {
            return Err(StoreError::corrupt(keys::sale_pk(product), format!("{} of {all} shards", shards.len())));
        }
        Ok(shards)
    }

    /// Reads up to a hundred shards, strongly consistent, in one `BatchGetItem`. Returns those that exist, in order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn read(&self, product: &ProductId, numbers: &[ShardNumber]) -> Result<Vec<(ShardNumber, StockShard)>, StoreError> {
        let keys = numbers.iter().map(|shard| keys::shard(product, *shard)).collect();
        let mut shards = Vec::with_capacity(numbers.len());
        for item in batch_get(&self.client, &self.table, keys, true).await? {
            shards.push(numbered_shard(product, &item)?);
        }
        shards.sort_unstable_by_key(|(number, _)| *number);
        Ok(shards)
    }

    /// Reads page `page`, counted from 0, of a sale's stock: the availability item, then every shard in its order, a
    /// hundred items per page. One `BatchGetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or one of the items cannot be read.
    pub async fn survey(
        &self,
        product: &ProductId,
        layout: &ShardLayout,
        page: usize,
        consistent: bool,
    ) -> Result<Survey, StoreError> {
        let availability = std::iter::once(keys::availability(product));
        let all = availability.chain(layout.numbers().map(|shard| keys::shard(product, shard)));
        let mut rest = all.skip(page.saturating_mul(KEYS_IN_A_BATCH));
        let wanted = rest.by_ref().take(KEYS_IN_A_BATCH).collect();
        let mut survey = Survey { availability: None, shards: Vec::new(), more: rest.next().is_some() };
        for item in batch_get(&self.client, &self.table, wanted, consistent).await? {
            if keys::sale_of(&item).is_some() {
                survey.availability = availability::form::from_item(&item)?.availability;
            } else {
                survey.shards.push(numbered_shard(product, &item)?);
            }
        }
        survey.shards.sort_unstable_by_key(|(number, _)| *number);
        Ok(survey)
    }
}

/// A shard with the number from its key.
fn numbered_shard(product: &ProductId, item: &Item) -> Result<(ShardNumber, StockShard), StoreError> {
    let pk = item.get("pk").and_then(|pk| pk.as_s().ok()).map(String::as_str).unwrap_or_default();
    let Some((_, number)) = keys::parse_shard_pk(pk) else { return Err(StoreError::corrupt(pk, "not a shard")) };
    Ok((number, form::from_item(product, item)?))
}
