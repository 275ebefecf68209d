//! What all environments know of a payment gateway: how many payments have asked it lately, and whether it is down. One item for
//! each gateway.

use aws_sdk_dynamodb::{Client, types::ReturnValue};
use domain::{Breaker, GatewayName, PaymentRate, Timestamp};
use serde::Deserialize;

use crate::{
    StoreError,
    error::{Written, conditional},
    item::{Item, name, parse},
    keys::{self, number},
    single::get_item,
};

/// How often a payment takes another ticket because the count began again meanwhile.
const MOST_TICKETS: usize = 5;

/// The items of all gateways.
#[derive(Debug, Clone)]
pub struct GatewayStates {
    client: Client,
    table: String,
}

/// The stored form. Times are in epoch milliseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StateForm {
    tickets: u64,
    tickets_since: Option<i64>,
    failures: u32,
    failing_since: Option<i64>,
    open_until: Option<i64>,
}

impl GatewayStates {
    /// The items in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The breaker of a gateway, eventually consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn breaker(&self, gateway: &GatewayName) -> Result<Breaker, StoreError> {
        let item = get_item(&self.client, &self.table, keys::gateway(gateway), false).await?;
        item.as_ref().map_or(Ok(Breaker::default()), breaker)
    }

    /// Takes a ticket for one payment: its turn, which may be past, and the breaker. One write, two when the count begins again.
    ///
    /// Guards: no two payments have the same ticket; of several that find the count lagging, one begins it again, and the others
    /// take another ticket.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or the count begins again before each ticket.
    pub async fn take_turn(
        &self,
        gateway: &GatewayName,
        rate: PaymentRate,
        now: Timestamp,
    ) -> Result<(Timestamp, Breaker), StoreError> {
        for _ in 0..MOST_TICKETS {
            let update = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(keys::gateway(gateway)))
                .update_expression("ADD tickets :one")
                .expression_attribute_values(":one", number(1))
                .return_values(ReturnValue::AllNew);
            let answer = update.send().await.map_err(|error| StoreError::call("UpdateItem", error))?;
            let item = answer.attributes.unwrap_or_default();
            let form: StateForm = parse(&item)?;
            let since = form.tickets_since.map(|millis| millisecond(&item, millis)).transpose()?;
            let turn = since.map(|since| rate.turn(since, form.tickets));
            match turn.filter(|turn| !PaymentRate::lags(*turn, now)) {
                Some(turn) => return Ok((turn, breaker(&item)?)),
                None if self.begin_count(gateway, form.tickets_since, now).await? => return Ok((now, breaker(&item)?)),
                None => {}
            }
        }
        Err(StoreError::Unavailable { operation: "UpdateItem", source: "the count of tickets began again each time".into() })
    }

    /// Begins the count again, with the caller's ticket as the first one. False: another payment did.
    async fn begin_count(&self, gateway: &GatewayName, before: Option<i64>, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::gateway(gateway)))
            .update_expression("SET tickets = :one, tickets_since = :now")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        let update = match before {
            None => update.condition_expression("attribute_not_exists(tickets_since)"),
            Some(before) => {
                update.condition_expression("tickets_since = :before").expression_attribute_values(":before", number(before))
            }
        };
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// Writes a breaker over the one that was read. False: another run has changed it.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn replace_breaker(&self, gateway: &GatewayName, before: &Breaker, after: &Breaker) -> Result<bool, StoreError> {
        let millis = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_millisecond);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::gateway(gateway)))
            .update_expression("SET failures = :failures, failing_since = :since, open_until = :until")
            .expression_attribute_values(":failures", number(after.failures))
            .expression_attribute_values(":since", number(millis(after.failing_since)))
            .expression_attribute_values(":until", number(millis(after.open_until)));
        let update = if *before == Breaker::default() {
            update
                .condition_expression("attribute_not_exists(failures) OR (failures = :zero AND open_until = :zero)")
                .expression_attribute_values(":zero", number(0))
        } else {
            update
                .condition_expression("failures = :failures_before AND open_until = :until_before")
                .expression_attribute_values(":failures_before", number(before.failures))
                .expression_attribute_values(":until_before", number(millis(before.open_until)))
        };
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }
}

fn breaker(item: &Item) -> Result<Breaker, StoreError> {
    let form: StateForm = parse(item)?;
    let time = |millis: Option<i64>| millis.filter(|millis| *millis != 0).map(|millis| millisecond(item, millis)).transpose();
    Ok(Breaker { failures: form.failures, failing_since: time(form.failing_since)?, open_until: time(form.open_until)? })
}

fn millisecond(item: &Item, millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millis).map_err(|error| StoreError::corrupt(name(item), error))
}
