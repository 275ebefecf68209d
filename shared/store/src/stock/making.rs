//! Makes and deletes shards: for a sale in which no shopper can reserve yet, and for a restock.

use std::ops::RangeBounds;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::{Extent, ProductId, ShardLayout, ShardNumber};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Stock, form};
use crate::{
    StoreError,
    error::{Written, conditional},
    keys::{self, number},
};

/// Writes of new shards in progress at once.
const WRITES_AT_ONCE: usize = 32;

/// A shard that a run for `:revision` may make again or delete.
const UNTOUCHED: &str = "attribute_not_exists(pk) OR (size(held) = :none AND size(sold) = :none AND rev <= :revision)";

/// The shard does not exist, or it belongs to a description before `:revision` that was never opened.
const LEFT_OVER: &str = "attribute_not_exists(pk) OR (size(held) = :none AND size(sold) = :none AND rev < :revision)";

impl Stock {
    /// Shards that a run should make or delete before it looks at the clock again: two rounds of writes.
    pub const MADE_AT_ONCE: u32 = 64;

    /// Makes those shards of a sale whose numbers are in `some`, for its `revision`. No shopper can reserve in the sale
    /// yet. One write per shard. A shard without holds and sales is made again, so a repetition finishes what an earlier
    /// run began. False: the sale has a later revision, whose shards stay unchanged, or has opened.
    ///
    /// Guards: a shard in use is never reset; a slow run does not overwrite shards that another run has made and may
    /// have opened.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or one of the shards is in use.
    pub async fn create(
        &self,
        product: &ProductId,
        layout: &ShardLayout,
        some: impl RangeBounds<u32>,
        revision: u64,
    ) -> Result<bool, StoreError> {
        let all = layout.numbers().zip(layout.capacities());
        let wanted: Vec<_> = all.filter(|(shard, _)| some.contains(&shard.0)).collect();
        stream::iter(wanted)
            .map(|(shard, capacity)| self.create_one(product, shard, capacity, revision))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_all(std::future::ready)
            .await
    }

    async fn create_one(
        &self,
        product: &ProductId,
        shard: ShardNumber,
        capacity: u32,
        revision: u64,
    ) -> Result<bool, StoreError> {
        let written = self.put_new(product, shard, capacity, revision, UNTOUCHED).await?;
        untouched(product, shard, revision, written)
    }

    /// Deletes the shards from `from` up to `to`, left over from an earlier revision of a sale that has not started.
    /// False: the sale has a later revision than `revision`, whose shards stay unchanged.
    ///
    /// Guards: as [`Stock::create`].
    ///
    /// # Errors
    /// When DynamoDB does not answer, or one of the shards is in use.
    pub async fn delete(&self, product: &ProductId, from: u32, to: u32, revision: u64) -> Result<bool, StoreError> {
        stream::iter((from..to).map(ShardNumber))
            .map(|shard| async move { untouched(product, shard, revision, self.delete_one(product, shard, revision).await?) })
            .buffer_unordered(WRITES_AT_ONCE)
            .try_all(std::future::ready)
            .await
    }

    /// Deletes the shards from `from` up to `to` of a sale that is being deleted. False: a shopper holds or has bought units in
    /// one of them, or it belongs to a later revision. Such shards stay unchanged.
    ///
    /// Guards: as [`Stock::create`].
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn delete_unused(&self, product: &ProductId, from: u32, to: u32, revision: u64) -> Result<bool, StoreError> {
        stream::iter((from..to).map(ShardNumber))
            .map(|shard| async move { Ok(matches!(self.delete_one(product, shard, revision).await?, Written::Done)) })
            .buffer_unordered(WRITES_AT_ONCE)
            .try_all(std::future::ready)
            .await
    }

    async fn delete_one(&self, product: &ProductId, shard: ShardNumber, revision: u64) -> Result<Written, StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::shard(product, shard)))
            .condition_expression(UNTOUCHED)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":revision", number(revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        conditional("DeleteItem", delete.send().await)
    }

    /// Makes those shards of a restock whose places in it are in `some`. `revision` of the sale describes the restock,
    /// and its shards start at number `from`. One write per shard. Shards that an earlier run has made stay unchanged,
    /// including their holds and sales, so a repetition makes only the missing ones.
    ///
    /// Guards: a shard is made once. A shard that is left over from an earlier description, in which no shopper could
    /// ever claim, is overwritten.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or a shard exists that was not made for this restock.
    pub async fn restock(
        &self,
        product: &ProductId,
        from: u32,
        extent: Extent,
        some: impl RangeBounds<u32>,
        revision: u64,
    ) -> Result<(), StoreError> {
        let wanted: Vec<u32> = (0..extent.shards).filter(|place| some.contains(place)).collect();
        stream::iter(wanted)
            .map(|place| self.restock_one(product, ShardNumber(from + place), extent.capacity_at(place), revision))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn restock_one(&self, product: &ProductId, shard: ShardNumber, capacity: u32, revision: u64) -> Result<(), StoreError> {
        match self.put_new(product, shard, capacity, revision, LEFT_OVER).await? {
            Written::Done => Ok(()),
            Written::Refused(Some(item)) if form::revision(&item)? == revision => Ok(()),
            Written::Refused(_) => Err(StoreError::corrupt(keys::shard_pk(product, shard), "not made for this restock")),
        }
    }

    /// Puts a new shard of `revision` where `condition`, [`UNTOUCHED`] or [`LEFT_OVER`], allows it.
    async fn put_new(
        &self,
        product: &ProductId,
        shard: ShardNumber,
        capacity: u32,
        revision: u64,
        condition: &str,
    ) -> Result<Written, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(form::new_shard(product, shard, capacity, revision)?))
            .condition_expression(condition)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":revision", number(revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        conditional("PutItem", put.send().await)
    }
}

/// The outcome of writing a shard that has to be untouched. False: the shard belongs to a later revision, or another run
/// of this revision has opened the sale and the shard is in use.
fn untouched(product: &ProductId, shard: ShardNumber, revision: u64, written: Written) -> Result<bool, StoreError> {
    match written {
        Written::Done => Ok(true),
        Written::Refused(Some(item)) if form::revision(&item)? >= revision => Ok(false),
        Written::Refused(_) => Err(StoreError::corrupt(keys::shard_pk(product, shard), "in use before its sale has started")),
    }
}
