//! The events of payment providers that were queued: one item for each, so that an event that is delivered again is not queued
//! again. They are in the order table, and TTL deletes them; no other item of this table has the TTL attribute.

use aws_sdk_dynamodb::Client;
use domain::{GatewayName, SignedDuration, Timestamp, ceil_to_second};

use crate::{
    StoreError,
    keys::{self, number},
    single::get_item,
};

/// How long an event is remembered. Stripe and PayPal deliver an event that nobody accepts for three days; Stripe lets a person
/// deliver an event again for 30 days (<https://docs.stripe.com/webhooks>).
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The queued events of all accounts.
#[derive(Debug, Clone)]
pub struct ProviderEvents {
    client: Client,
    table: String,
}

impl ProviderEvents {
    /// The events in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Whether an event was queued before, eventually consistent: an event that was queued this moment may be unknown.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn is_queued(&self, account: &GatewayName, event_id: &str) -> Result<bool, StoreError> {
        let item = get_item(&self.client, &self.table, keys::provider_event(account, event_id), false).await?;
        Ok(item.is_some())
    }

    /// Remembers that an event was queued. One write. Safe to repeat.
    ///
    /// The caller has queued the event: an event that is remembered and not queued would be lost.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn queued(&self, account: &GatewayName, event_id: &str, now: Timestamp) -> Result<(), StoreError> {
        let ends = ceil_to_second(now).checked_add(REMEMBERED_FOR).unwrap_or(Timestamp::MAX);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(keys::provider_event(account, event_id)))
            .item("ttl", number(ends.as_second()));
        put.send().await.map(|_| ()).map_err(|error| StoreError::call("PutItem", error))
    }
}
