//! The stock shards: the four moves, each one conditional update of one item.
//!
//! Every move may be repeated, by the SDK's own retry as well as by a second caller. Its condition names the
//! reservation. When the condition fails, the item that DynamoDB returns says what already happened. Compare
//! `domain::StockShard`.

pub(crate) mod form;
mod making;
mod reading;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{
    ClaimOutcome, Hold, Quantity, ReleaseOutcome, ReservationId, SellOutcome, ShardNumber, ShopperId, TakeBackOutcome, Timestamp,
};

pub use reading::Survey;

use crate::{
    StoreError,
    error::{Written, conditional},
    item::Item,
    keys::{self, number, string},
};

/// The shards of all sales.
#[derive(Debug, Clone)]
pub struct Stock {
    client: Client,
    table: String,
}

/// The item, the expressions and the values of one move.
struct Move<'a> {
    shard: Item,
    shopper: &'a ShopperId,
    update: &'a str,
    condition: &'a str,
    values: Vec<(&'a str, AttributeValue)>,
}

impl Stock {
    /// The shards in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Moves a hold's units from available to held. One write.
    ///
    /// Guards: `available` never falls below zero; a shopper has one entry per shard.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or the shard does not exist.
    pub async fn claim(&self, shard: ShardNumber, shopper: &ShopperId, hold: &Hold) -> Result<ClaimOutcome, StoreError> {
        let product = hold.reservation.product();
        let claim = Move {
            shard: keys::shard(product, shard),
            shopper,
            update: "SET available = available - :quantity, held.#shopper = :hold",
            condition: "available >= :quantity AND attribute_not_exists(held.#shopper) AND attribute_not_exists(sold.#shopper)",
            values: vec![(":quantity", number(hold.quantity.units())), (":hold", form::held(hold)?)],
        };
        match self.make(claim).await? {
            Written::Done => Ok(ClaimOutcome::Claimed),
            Written::Refused(Some(item)) => {
                let found = form::from_item(product, &item)?;
                found.claim_refusal(shopper, hold).ok_or_else(|| {
                    StoreError::corrupt(keys::shard_pk(product, shard), "the claim was refused, but its condition is true")
                })
            }
            Written::Refused(None) => Err(StoreError::corrupt(keys::shard_pk(product, shard), "there is no such shard")),
        }
    }

    /// Moves the held units of `reservation` back to available. One write.
    ///
    /// Guards: releases only the units of this reservation, and once.
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

    /// Moves the units of a hold that has ended back to available: those that were claimed until `ended_at` at the latest. One
    /// write.
    ///
    /// Guards: as [`Self::release`], and releases no units that were claimed again under the same reservation, until a later
    /// time, for an order that is paid late.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn release_ended(
        &self,
        shard: ShardNumber,
        shopper: &ShopperId,
        reservation: &ReservationId,
        ended_at: Timestamp,
    ) -> Result<ReleaseOutcome, StoreError> {
        let release = Move {
            shard: keys::shard(reservation.product(), shard),
            shopper,
            update: "SET available = available + held.#shopper.q REMOVE held.#shopper",
            condition: "held.#shopper.r = :reservation AND held.#shopper.x <= :ended",
            values: vec![(":reservation", string(reservation.ulid())), (":ended", number(ended_at.as_second()))],
        };
        Ok(match self.make(release).await? {
            Written::Done => ReleaseOutcome::Released,
            Written::Refused(_) => ReleaseOutcome::NotHeld,
        })
    }

    /// Moves the held units of `reservation` to sold. One write.
    ///
    /// Guards: sells exactly the units that this reservation holds, and once.
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
                (":sold", form::sold(reservation, quantity)?),
            ],
        };
        match self.make(sell).await? {
            Written::Done => Ok(SellOutcome::Sold),
            Written::Refused(None) => Ok(SellOutcome::HoldLost),
            Written::Refused(Some(item)) => Ok(form::from_item(product, &item)?.sell_refusal(shopper, reservation)),
        }
    }

    /// Moves the sold units of `reservation` back to available. One write.
    ///
    /// Guards: takes back only the units that this reservation bought, and once.
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
}
