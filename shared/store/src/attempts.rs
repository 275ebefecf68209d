//! Payment attempts: one item for each attempt to pay an order. It is written before a gateway is asked and again after
//! the gateway has answered. So every later run knows at which gateway to look up a charge.

pub(crate) mod form;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use domain::{Attempt, AttemptStatus, GatewayName, IdempotencyKey, Order, OrderId, SignedDuration, Timestamp};

use crate::{
    StoreError,
    batch::batch_get,
    error::{Written, conditional},
    item::{self, Item},
    keys::{self, number, string},
    single::{get_item, put_first},
    word::word,
};

/// The attempts of all orders.
#[derive(Debug, Clone)]
pub struct Attempts {
    client: Client,
    table: String,
}

impl Attempts {
    /// The attempts in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads an attempt, strongly consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, key: &IdempotencyKey) -> Result<Option<Attempt>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::attempt(key), true).await?;
        item.map(|item| form::from_item(key, &item)).transpose()
    }

    /// Reads all attempts of an order that have an item, strongly consistent, in one `BatchGetItem`; the first attempt first. `last`
    /// is the number of the last attempt, at most [`domain::Order::MAX_ATTEMPTS`].
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn of_order(&self, order: &OrderId, last: u32) -> Result<Vec<Attempt>, StoreError> {
        let every = (1..=last.min(Order::MAX_ATTEMPTS)).map(|attempt| IdempotencyKey { order: order.clone(), attempt });
        let every: Vec<IdempotencyKey> = every.collect();
        if every.is_empty() {
            return Ok(Vec::new());
        }
        let items = batch_get(&self.client, &self.table, every.iter().map(keys::attempt).collect(), true).await?;
        let found = |key: &IdempotencyKey| {
            let is_its = |item: &&Item| keys::attempt(key).iter().all(|(name, value)| item.get(name) == Some(value));
            items.iter().find(is_its).map(|item| form::from_item(key, item))
        };
        every.iter().filter_map(found).collect()
    }

    /// Records that the caller is about to ask `gateway`, unless the attempt has an item already. Returns the stored
    /// attempt, and true if this call wrote it.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn begin(&self, key: &IdempotencyKey, gateway: &GatewayName) -> Result<(Attempt, bool), StoreError> {
        self.put_first(Attempt::started(key.clone(), gateway.clone())).await
    }

    /// Records that an attempt will never be made, unless the attempt has an item already. Returns the stored attempt.
    /// A new item is `voided` from the start, so no charge ever finds it `started`.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn rule_out(&self, key: &IdempotencyKey, gateway: &GatewayName) -> Result<Attempt, StoreError> {
        let void = Attempt { status: AttemptStatus::Voided, ..Attempt::started(key.clone(), gateway.clone()) };
        Ok(self.put_first(void).await?.0)
    }

    /// Writes an attempt if it has no item yet. Returns the stored attempt, and true if this call wrote it.
    async fn put_first(&self, attempt: Attempt) -> Result<(Attempt, bool), StoreError> {
        Ok(match put_first(&self.client, &self.table, form::to_item(&attempt)?, || attempt.key.to_string()).await? {
            None => (attempt, true),
            Some(first) => (form::from_item(&attempt.key, &first)?, false),
        })
    }

    /// Notes that a shopper has come back, at most once in `every`, for all environments together. False: that was noted a moment
    /// ago, or the attempt waits for no shopper.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn note_return(&self, key: &IdempotencyKey, every: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
        let before = now.checked_sub(every).unwrap_or(Timestamp::MIN);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::attempt(key)))
            .update_expression("SET returned_at = :now")
            .condition_expression(
                "#status = :started AND attribute_exists(waiting) AND (attribute_not_exists(returned_at) OR returned_at <= :before)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":started", word(AttemptStatus::Started))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":before", number(before.as_millisecond()));
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// Replaces the attempt that was read as `before` by `after`. False: the item has changed since, possibly by this
    /// very call when the answer to its first run was lost. The caller then reads the attempt again, and looks the
    /// charge up before it asks a gateway.
    ///
    /// At the same gateway, attributes that only a later version knows stay. At another gateway the attempt begins without
    /// them.
    ///
    /// Guards: the gateway, the status, `asked_again`, the provider's id and the task token are still as they were when the
    /// caller decided. So no run loses an id or a token that another has stored, and an attempt that is being undone takes none.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn replace(&self, before: &Attempt, after: &Attempt) -> Result<bool, StoreError> {
        let asked_again = if before.asked_again { "attribute_exists" } else { "attribute_not_exists" };
        let provider_id = if before.provider_id.is_some() { "provider_id = :id" } else { "attribute_not_exists(provider_id)" };
        let token = before.waiting.as_ref().and_then(|waiting| waiting.task_token.as_ref());
        let unchanged_token =
            if token.is_some() { "waiting.task_token = :token" } else { "attribute_not_exists(waiting.task_token)" };
        let condition = format!(
            "gateway = :gateway AND #status = :status AND {asked_again}(asked_again) AND {provider_id} AND {unchanged_token}"
        );
        let mut values =
            HashMap::from([(":gateway".to_owned(), item::value(&before.gateway)?), (":status".to_owned(), word(before.status))]);
        if let Some(id) = &before.provider_id {
            values.insert(":id".to_owned(), string(id));
        }
        if let Some(token) = token {
            values.insert(":token".to_owned(), string(token));
        }
        if before.gateway != after.gateway {
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(form::to_item(after)?))
                .condition_expression(condition)
                .expression_attribute_names("#status", "status")
                .set_expression_attribute_values(Some(values));
            return Ok(matches!(conditional("PutItem", put.send().await)?, Written::Done));
        }
        let change = form::to_change(after)?;
        values.extend(change.values);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::attempt(&after.key)))
            .update_expression(change.expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(values));
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }
}
