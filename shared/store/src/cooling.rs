//! The unpaid ends of each shopper's holds of a sale: one item in the reservation table, beside the reservation. It has
//! no `status`, so the filter of the table's stream passes no record of it.

use aws_sdk_dynamodb::{
    Client,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{ProductId, ReservationId, ShopperId, SignedDuration, Timestamp, UnpaidEnds, ceil_to_second};
use serde::Deserialize;

use crate::{
    StoreError,
    error::{Written, conditional},
    item::{Item, parse, second},
    keys::{self, number, string},
    single::get_item,
};

/// TTL deletes the item, and so forgives the shopper, a day after the last unpaid end.
const FORGIVEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The unpaid ends of all shoppers.
#[derive(Debug, Clone)]
pub struct CoolingShoppers {
    client: Client,
    table: String,
}

/// The stored form.
#[derive(Deserialize)]
struct UnpaidEndsForm {
    unpaid_ends: u32,
    /// Epoch seconds.
    last_at: i64,
}

impl CoolingShoppers {
    /// The unpaid ends in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Counts that the hold of a reservation ended unpaid. One write. Returns all unpaid ends.
    ///
    /// Guards: an end counts once, however often its record comes. ULIDs are ordered in time, so an end that is not later
    /// than the last one was counted before.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn count(&self, shopper: &ShopperId, ended: &ReservationId, at: Timestamp) -> Result<UnpaidEnds, StoreError> {
        let at = ceil_to_second(at);
        let ttl = at.checked_add(FORGIVEN_AFTER).unwrap_or(Timestamp::MAX);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::unpaid_ends(shopper, ended.product())))
            .update_expression("ADD unpaid_ends :one SET last_reservation = :ended, last_at = :at, #ttl = :ttl")
            .condition_expression("attribute_not_exists(pk) OR last_reservation < :ended")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ended", string(ended.ulid()))
            .expression_attribute_values(":at", number(at.as_second()))
            .expression_attribute_values(":ttl", number(ttl.as_second()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut result = update.send().await;
        let counted = result.as_mut().ok().and_then(|answer| answer.attributes.take());
        let item = match conditional("UpdateItem", result)? {
            Written::Done => counted,
            Written::Refused(counted_before) => counted_before,
        };
        from_item(&item.unwrap_or_else(|| keys::unpaid_ends(shopper, ended.product())))
    }

    /// A shopper's unpaid ends in a sale, eventually consistent. `None`: there was none in the last day.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, shopper: &ShopperId, product: &ProductId) -> Result<Option<UnpaidEnds>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::unpaid_ends(shopper, product), false).await?;
        item.as_ref().map(from_item).transpose()
    }
}

fn from_item(item: &Item) -> Result<UnpaidEnds, StoreError> {
    let form: UnpaidEndsForm = parse(item)?;
    Ok(UnpaidEnds { count: form.unpaid_ends, last_at: second(item, form.last_at)? })
}
