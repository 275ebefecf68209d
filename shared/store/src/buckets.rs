//! Each shopper's token bucket: one item in the reservation table, beside the shopper's reservations. It has no `status`, so
//! the filter of the table's stream passes no record of it.

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{ShopperId, ShopperRate, SignedDuration, Timestamp, TokenBucket, ceil_to_second};
use serde::Deserialize;

use crate::{
    StoreError,
    error::{Written, conditional},
    item::{Item, name, parse},
    keys::{self, number},
};

/// TTL deletes the item this long after its last token. Until then, a returning shopper's item is there.
const DELETED_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// Writes that one token may cost: see [`ShopperBuckets::take`].
const WRITES: usize = 3;

/// The token buckets of all shoppers.
#[derive(Debug, Clone)]
pub struct ShopperBuckets {
    client: Client,
    table: String,
}

/// The outcome of taking a token, with the bucket as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOutcome {
    /// The request has its token.
    Taken(TokenBucket),
    /// The bucket has no token, and nothing changed.
    Empty(TokenBucket),
}

/// The stored form.
#[derive(Deserialize)]
struct BucketForm {
    /// Epoch microseconds.
    full_at_us: i64,
}

impl ShopperBuckets {
    /// The buckets in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Takes a token from a shopper's bucket. `known` is the bucket as the caller last saw it, or [`TokenBucket::FULL`].
    ///
    /// A full bucket and a bucket in use need different writes, because an expression cannot compute a maximum. `known` says
    /// which one to begin with. It is one write if that was right, or if the bucket is empty; a second or third one if the
    /// shopper's requests took tokens elsewhere meanwhile. A repetition takes another token.
    ///
    /// Guards: tokens of all environments together stay within the rate.
    ///
    /// # Errors
    /// When DynamoDB does not answer. A token may be taken.
    pub async fn take(
        &self,
        shopper: &ShopperId,
        rate: ShopperRate,
        known: TokenBucket,
        now: Timestamp,
    ) -> Result<TakeOutcome, StoreError> {
        let mut bucket = known;
        for _ in 0..WRITES {
            let write = if bucket.is_in_use(rate, now) { self.take_further(rate, now) } else { self.take_first(rate, now) };
            let ttl = ceil_to_second(now).checked_add(DELETED_AFTER).unwrap_or(Timestamp::MAX);
            let mut result = write
                .table_name(&self.table)
                .set_key(Some(keys::token_bucket(shopper)))
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":now", number(now.as_microsecond()))
                .expression_attribute_values(":ttl", number(ttl.as_second()))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let written = result.as_mut().ok().and_then(|answer| answer.attributes.take());
            match conditional("UpdateItem", result)? {
                Written::Done => return from_item(written.as_ref()).map(TakeOutcome::Taken),
                Written::Refused(found) => bucket = from_item(found.as_ref())?,
            }
            if bucket.take(rate, now).is_err() {
                break;
            }
        }
        Ok(TakeOutcome::Empty(bucket))
    }

    /// The write for a full bucket, or one that a wrong clock has written.
    fn take_first(&self, rate: ShopperRate, now: Timestamp) -> UpdateItemFluentBuilder {
        let full_at = now.as_microsecond().saturating_add(micros(rate.interval()));
        self.client
            .update_item()
            .update_expression("SET full_at_us = :full_at, #ttl = :ttl")
            .condition_expression("attribute_not_exists(pk) OR full_at_us <= :now OR full_at_us > :believed")
            .expression_attribute_values(":full_at", number(full_at))
            .expression_attribute_values(":believed", number(TokenBucket::latest_believed(rate, now).as_microsecond()))
    }

    /// The write for a bucket from which tokens are missing.
    fn take_further(&self, rate: ShopperRate, now: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .update_expression("ADD full_at_us :interval SET #ttl = :ttl")
            .condition_expression("full_at_us > :now AND full_at_us <= :latest")
            .expression_attribute_values(":interval", number(micros(rate.interval())))
            .expression_attribute_values(":latest", number(TokenBucket::latest(rate, now).as_microsecond()))
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn from_item(item: Option<&Item>) -> Result<TokenBucket, StoreError> {
    let Some(item) = item else { return Ok(TokenBucket::FULL) };
    let form: BucketForm = parse(item)?;
    let full_at = Timestamp::from_microsecond(form.full_at_us);
    full_at.map(|full_at| TokenBucket { full_at }).map_err(|error| StoreError::corrupt(name(item), error))
}
