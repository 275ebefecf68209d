//! The stock shards: the four moves, each one conditional update of one item, and reading shards.
//!
//! Every move may be repeated, by the SDK's own retry as much as by a second caller: its condition names the reservation,
//! and when it fails, the item that comes back tells what already happened. Compare `domain::StockShard`.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure},
};
use domain::{
    Availability, ClaimOutcome, Extent, Hold, ProductId, Quantity, ReleaseOutcome, ReservationId, SellOutcome, ShardLayout,
    ShardNumber, ShopperId, StockShard, TakeBackOutcome,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    StoreError,
    error::{Item, Written, conditional},
    items,
    keys::{self, number, string},
};

/// Writes of new shards that are under way at once.
const WRITES_AT_ONCE: usize = 32;
/// Keys that one `BatchGetItem` takes at most.
pub(crate) const KEYS_IN_A_BATCH: usize = 100;
/// How often a batch is asked for the keys that DynamoDB left out.
const BATCH_ROUNDS: usize = 8;

/// A shard that the maker of a revision may make anew or delete.
const UNTOUCHED: &str = "attribute_not_exists(pk) OR (size(held) = :none AND size(sold) = :none AND rev <= :revision)";

/// No shard yet, or one of a description before `revision` that was never opened.
const LEFT_OVER: &str = "attribute_not_exists(pk) OR (size(held) = :none AND size(sold) = :none AND rev < :revision)";

/// The shards of all sales.
#[derive(Debug, Clone)]
pub struct Stock {
    client: Client,
    table: String,
}

/// A part of a sale's stock as it was found. What is not there is left out.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What readers know; on the first page only.
    pub availability: Option<Availability>,
    /// Shards of this page.
    pub shards: Vec<(ShardNumber, StockShard)>,
    /// There is a page after this one.
    pub more: bool,
}

/// Which item, which values, under which condition.
struct Move<'a> {
    shard: Item,
    shopper: &'a ShopperId,
    update: &'a str,
    condition: &'a str,
    values: Vec<(&'a str, AttributeValue)>,
}

impl Stock {
    /// Shards that [`Stock::read`] takes at once.
    pub const READ_AT_ONCE: usize = KEYS_IN_A_BATCH;

    /// The shards in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Moves a hold's units from available to held. One write.
    ///
    /// Guards: never below zero; one entry per shopper and shard.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or there is no such shard.
    pub async fn claim(&self, shard: ShardNumber, shopper: &ShopperId, hold: &Hold) -> Result<ClaimOutcome, StoreError> {
        let product = hold.reservation.product();
        let claim = Move {
            shard: keys::shard(product, shard),
            shopper,
            update: "SET available = available - :quantity, held.#shopper = :hold",
            condition: "available >= :quantity AND attribute_not_exists(held.#shopper) AND attribute_not_exists(sold.#shopper)",
            values: vec![(":quantity", number(hold.quantity.units())), (":hold", items::held_value(hold)?)],
        };
        match self.make(claim).await? {
            Written::Done => Ok(ClaimOutcome::Claimed),
            Written::Refused(Some(item)) => {
                let found = items::shard(product, &item)?;
                found.claim_refusal(shopper, hold).ok_or_else(|| StoreError::corrupt(keys::shard_pk(product, shard), "claimable"))
            }
            Written::Refused(None) => Err(StoreError::corrupt(keys::shard_pk(product, shard), "there is no such shard")),
        }
    }

    /// Moves what `reservation` holds back to available. One write.
    ///
    /// Guards: releases this reservation's units only, and once.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn release(
        &self,
        shard: ShardNumber,
        shopper: &ShopperId,
        reservation: &ReservationId,
    ) -> Result<ReleaseOutcome, StoreError> {
        let release = Move {
            shard: keys::shard(reservation.product(), shard),
            shopper,
            update: "SET available = available + held.#shopper.q REMOVE held.#shopper",
            condition: "held.#shopper.r = :reservation",
            values: vec![(":reservation", string(reservation.ulid()))],
        };
        Ok(match self.make(release).await? {
            Written::Done => ReleaseOutcome::Released,
            Written::Refused(_) => ReleaseOutcome::NotHeld,
        })
    }

    /// Moves what `reservation` holds to sold. One write.
    ///
    /// Guards: sells only what this reservation holds, all of it, and once.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn sell(
        &self,
        shard: ShardNumber,
        shopper: &ShopperId,
        reservation: &ReservationId,
        quantity: Quantity,
    ) -> Result<SellOutcome, StoreError> {
        let product = reservation.product();
        let sell = Move {
            shard: keys::shard(product, shard),
            shopper,
            update: "SET sold.#shopper = :sold REMOVE held.#shopper",
            condition: "held.#shopper.r = :reservation AND held.#shopper.q = :quantity",
            values: vec![
                (":reservation", string(reservation.ulid())),
                (":quantity", number(quantity.units())),
                (":sold", items::sold_value(reservation, quantity)?),
            ],
        };
        match self.make(sell).await? {
            Written::Done => Ok(SellOutcome::Sold),
            Written::Refused(None) => Ok(SellOutcome::HoldLost),
            Written::Refused(Some(item)) => Ok(items::shard(product, &item)?.sell_refusal(shopper, reservation)),
        }
    }

    /// Moves what `reservation` bought back to available. One write.
    ///
    /// Guards: takes back only what this reservation bought, and once.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn take_back(
        &self,
        shard: ShardNumber,
        shopper: &ShopperId,
        reservation: &ReservationId,
    ) -> Result<TakeBackOutcome, StoreError> {
        let take_back = Move {
            shard: keys::shard(reservation.product(), shard),
            shopper,
            update: "SET available = available + sold.#shopper.q REMOVE sold.#shopper",
            condition: "sold.#shopper.r = :reservation",
            values: vec![(":reservation", string(reservation.ulid()))],
        };
        Ok(match self.make(take_back).await? {
            Written::Done => TakeBackOutcome::TakenBack,
            Written::Refused(_) => TakeBackOutcome::NotSold,
        })
    }

    async fn make(&self, a_move: Move<'_>) -> Result<Written, StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(a_move.shard))
            .update_expression(a_move.update)
            .condition_expression(a_move.condition)
            .expression_attribute_names("#shopper", a_move.shopper.as_str())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in a_move.values {
            update = update.expression_attribute_values(name, value);
        }
        conditional("UpdateItem", update.send().await)
    }

    /// Makes the shards of a sale that nobody can reserve in yet, for its `revision`. One write each; shards that nobody has
    /// touched are made anew, so a repetition finishes what an earlier run began. False: the sale has a later revision, whose
    /// shards stay as they are.
    ///
    /// Guards: a shard in use is never reset; a slow run does not write over what another has made and may have opened.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or one of them is in use.
    pub async fn create(&self, product: &ProductId, layout: &ShardLayout, revision: u64) -> Result<bool, StoreError> {
        stream::iter(layout.numbers().zip(layout.capacities()))
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
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::new_shard(product, shard, capacity, revision)?))
            .condition_expression(UNTOUCHED)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":revision", number(revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        untouched(product, shard, revision, conditional("PutItem", put.send().await)?)
    }

    /// Deletes the shards from `from` up to `to`, left over from an earlier revision of a sale that has not started. False:
    /// the sale has a later revision than `revision`, whose shards stay as they are.
    ///
    /// Guards: as [`Stock::create`].
    ///
    /// # Errors
    /// When DynamoDB does not answer, or one of them is in use.
    pub async fn delete(&self, product: &ProductId, from: u32, to: u32, revision: u64) -> Result<bool, StoreError> {
        stream::iter((from..to).map(ShardNumber))
            .map(|shard| self.delete_one(product, shard, revision))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_all(std::future::ready)
            .await
    }

    async fn delete_one(&self, product: &ProductId, shard: ShardNumber, revision: u64) -> Result<bool, StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::shard(product, shard)))
            .condition_expression(UNTOUCHED)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":revision", number(revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        untouched(product, shard, revision, conditional("DeleteItem", delete.send().await)?)
    }

    /// Makes the shards of a restock that `revision` of the sale describes, from number `from` on. One write each; those that an
    /// earlier run has made stay as they are, whatever has become of them, so a repetition makes those that are missing.
    ///
    /// Guards: a shard is made once. What an earlier description has left over, and nobody could ever claim, does not count.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or there is a shard that was not made for this restock.
    pub async fn restock(&self, product: &ProductId, from: u32, extent: Extent, revision: u64) -> Result<(), StoreError> {
        stream::iter(0..extent.shards)
            .map(|place| self.restock_one(product, ShardNumber(from + place), extent.capacity_at(place), revision))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn restock_one(&self, product: &ProductId, shard: ShardNumber, capacity: u32, revision: u64) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::new_shard(product, shard, capacity, revision)?))
            .condition_expression(LEFT_OVER)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":revision", number(revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(()),
            Written::Refused(Some(item)) if items::shard_revision(&item)? == revision => Ok(()),
            Written::Refused(_) => Err(StoreError::corrupt(keys::shard_pk(product, shard), "not made for this restock")),
        }
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
        let numbers: Vec<ShardNumber> = layout.numbers().collect();
        let mut shards = Vec::with_capacity(numbers.len());
        for chunk in numbers.chunks(Self::READ_AT_ONCE) {
            shards.extend(self.read(product, chunk).await?);
        }
        if shards.len() != numbers.len() {
            return Err(StoreError::corrupt(keys::sale_pk(product), format!("{} of {} shards", shards.len(), numbers.len())));
        }
        Ok(shards)
    }

    /// Reads up to a hundred shards, strongly consistent, in one `BatchGetItem`; those that are there, in order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn read(&self, product: &ProductId, numbers: &[ShardNumber]) -> Result<Vec<(ShardNumber, StockShard)>, StoreError> {
        let keys = numbers.iter().map(|shard| keys::shard(product, *shard)).collect();
        let mut shards = Vec::with_capacity(numbers.len());
        for item in batch_get(&self.client, &self.table, keys, true).await? {
            let pk = item.get("pk").and_then(|pk| pk.as_s().ok()).map(String::as_str).unwrap_or_default();
            let Some((_, number)) = keys::parse_shard_pk(pk) else { return Err(StoreError::corrupt(pk, "not a shard")) };
            shards.push((number, items::shard(product, &item)?));
        }
        shards.sort_unstable_by_key(|(number, _)| *number);
        Ok(shards)
    }

    /// Reads page `page`, from 0, of what there is of a sale's stock: the availability item, then every shard in its order, a
    /// hundred items to a page. One `BatchGetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or one of them cannot be read.
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
                survey.availability = Some(items::availability(&item)?);
            } else {
                survey.shards.push(numbered_shard(product, &item)?);
            }
        }
        survey.shards.sort_unstable_by_key(|(number, _)| *number);
        Ok(survey)
    }
}

/// A shard with the number that its key has.
fn numbered_shard(product: &ProductId, item: &Item) -> Result<(ShardNumber, StockShard), StoreError> {
    let pk = item.get("pk").and_then(|pk| pk.as_s().ok()).map(String::as_str).unwrap_or_default();
    let Some((_, number)) = keys::parse_shard_pk(pk) else { return Err(StoreError::corrupt(pk, "not a shard")) };
    Ok((number, items::shard(product, item)?))
}

/// What came of writing a shard that was to be untouched. False: it belongs to a later revision.
fn untouched(product: &ProductId, shard: ShardNumber, revision: u64, written: Written) -> Result<bool, StoreError> {
    match written {
        Written::Done => Ok(true),
        Written::Refused(Some(item)) if items::shard_revision(&item)? > revision => Ok(false),
        Written::Refused(_) => Err(StoreError::corrupt(keys::shard_pk(product, shard), "in use before its sale has started")),
    }
}

/// Gets up to a hundred items of `table` in no order; those that DynamoDB leaves out are asked for again.
pub(crate) async fn batch_get(client: &Client, table: &str, keys: Vec<Item>, consistent: bool) -> Result<Vec<Item>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    let mut wanted = keys;
    for _ in 0..BATCH_ROUNDS {
        let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(consistent).build();
        let request = request.map_err(|error| StoreError::corrupt("(batch)", error))?;
        let answer = client.batch_get_item().request_items(table, request).send().await;
        let mut answer = answer.map_err(|error| StoreError::call("BatchGetItem", error))?;
        found.extend(answer.responses.as_mut().and_then(|tables| tables.remove(table)).unwrap_or_default());
        wanted = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table)).map(|left| left.keys).unwrap_or_default();
        if wanted.is_empty() {
            return Ok(found);
        }
    }
    Err(StoreError::Unavailable { operation: "BatchGetItem", source: "DynamoDB kept leaving keys out".into() })
}
