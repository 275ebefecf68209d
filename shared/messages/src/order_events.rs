//! The events of orders, for the shop's own systems: one for each change of an order, on an EventBridge bus.
//!
//! `docs/events.md` describes them for consumers. An event has the whole state of its order after the change, so the event with
//! the highest revision says all. It has nothing of a person: it may be kept after the person's data were erased.

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use domain::{Currency, Order, OrderId, OrderLine, OrderStatus, PaymentStatus, ProductId, Quantity, StockStatus};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::SendError;

/// The bus's name for logs.
const BUS: &str = "the bus of order events";
/// Events that EventBridge takes in one request.
const EVENTS_OF_A_REQUEST: usize = 10;
/// Requests at the same time.
const PUTS_AT_ONCE: usize = 10;

/// The state of an order after a change: the `detail` of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderChanged {
    /// [`OrderChanged::VERSION`]. A member that is added does not change it.
    pub version: u32,
    /// The order that changed, `<product id>.<ULID>`.
    pub order_id: OrderId,
    /// The number of writes that made the order as it is. Of two events of an order, the one with the higher revision is later.
    pub revision: u64,
    /// The product bought.
    pub product_id: ProductId,
    /// Units, 1–10.
    pub quantity: Quantity,
    /// The price of all units together.
    pub price: Amount,
    /// What operators have refunded of the price since the order was completed.
    pub refunded: Amount,
    /// The state of the order.
    pub order_status: OrderStatus,
    /// The state of its payment.
    pub payment_status: PaymentStatus,
    /// The state of its units.
    pub inventory_status: StockStatus,
    /// Until when an order that waits for its payment can be paid. If its hold ended while it was placed, no later event says so.
    pub pay_by: String,
    /// Attempts to pay so far.
    pub attempt: u32,
    /// The payment gateway's reference of a paid order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// When it was placed.
    pub created_at: String,
    /// When it last took a step.
    pub updated_at: String,
    /// Its history, oldest first.
    pub history: Vec<Line>,
}

/// An amount of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// In the currency's minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
}

/// A line of an order's history. It has no reason: that is a provider's text, of any length, for the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written.
    pub at: String,
    /// What it says. A later version may say more, so it is plain text.
    pub event: String,
}

/// The bus of order events.
#[derive(Debug, Clone)]
pub struct OrderEvents {
    client: Client,
    bus: String,
}

/// EventBridge has not taken every event.
#[derive(Debug, thiserror::Error)]
#[error("the event at {first} and perhaps later ones were not taken")]
pub struct NotPublished {
    /// The position of the first event that was not taken. Any later one may have been taken.
    pub first: usize,
    /// Why.
    #[source]
    pub source: SendError,
}

/// EventBridge answered a request, and refused one of its events.
#[derive(Debug, thiserror::Error)]
#[error("EventBridge did not take an event: {0}")]
struct Refused(String);

impl OrderChanged {
    /// The version of this form. A member that changes its meaning, or goes, makes another one.
    pub const VERSION: u32 = 1;
    /// The `source` of every event.
    pub const SOURCE: &str = "flash-sale";
    /// The `detail-type` of every event.
    pub const DETAIL_TYPE: &str = "OrderChanged";

    /// The event of an order as it is now.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let amount = |minor: i64| Amount { amount_minor: minor, currency: order.amount.currency() };
        Self {
            version: Self::VERSION,
            order_id: order.id.clone(),
            revision: order.revision,
            product_id: order.product().clone(),
            quantity: order.quantity,
            price: amount(order.amount.amount_minor()),
            refunded: amount(order.refunds.refunded_minor()),
            order_status: order.status,
            payment_status: order.payment_status,
            inventory_status: order.stock_status,
            pay_by: domain::to_the_millisecond(order.pay_by),
            attempt: order.attempt,
            transaction_id: order.transaction_id.clone(),
            created_at: domain::to_the_millisecond(order.created_at),
            updated_at: domain::to_the_millisecond(order.updated_at),
            history: order.history.iter().map(|line| Line::of(line.at, line.event)).collect(),
        }
    }
}

impl Line {
    fn of(at: domain::Timestamp, event: OrderLine) -> Self {
        Self { at: domain::to_the_millisecond(at), event: word(event) }
    }
}

/// A line's name in the contract.
fn word(line: OrderLine) -> String {
    serde_json::to_value(line).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

impl OrderEvents {
    /// The bus called `bus`.
    #[must_use]
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self { client, bus: bus.into() }
    }

    /// Publishes all `changes`, ten in a request. A request that fails stops no other.
    ///
    /// # Errors
    /// When EventBridge does not take one of them.
    pub async fn publish(&self, changes: &[OrderChanged]) -> Result<(), NotPublished> {
        let requests: Vec<_> = changes.chunks(EVENTS_OF_A_REQUEST).map(|together| self.put(together)).collect();
        let outcomes: Vec<_> = stream::iter(requests).buffered(PUTS_AT_ONCE).collect().await;
        let mut failures = outcomes.into_iter().enumerate().filter_map(|(request, outcome)| {
            let (first, source) = outcome.err()?;
            Some(NotPublished { first: request * EVENTS_OF_A_REQUEST + first, source })
        });
        failures.next().map_or(Ok(()), Err)
    }

    /// Publishes at most [`EVENTS_OF_A_REQUEST`] events. The error has the position of the first that was not taken.
    async fn put(&self, changes: &[OrderChanged]) -> Result<(), (usize, SendError)> {
        let mut request = self.client.put_events();
        for change in changes {
            let detail = serde_json::to_string(change).map_err(|error| (0, SendError::new(BUS, error)))?;
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(&self.bus)
                .source(OrderChanged::SOURCE)
                .detail_type(OrderChanged::DETAIL_TYPE)
                .detail(detail);
            request = request.entries(entry.build());
        }
        let answer = request.send().await.map_err(|error| (0, SendError::new(BUS, error)))?;
        // The answers have the order of the events. An event without one was not taken.
        for place in 0..changes.len() {
            let entry = answer.entries().get(place);
            if entry.is_none_or(|entry| entry.event_id().is_none()) {
                let code = entry.and_then(|entry| entry.error_code()).unwrap_or("no answer");
                return Err((place, SendError::new(BUS, Refused(code.to_owned()))));
            }
        }
        Ok(())
    }
}
