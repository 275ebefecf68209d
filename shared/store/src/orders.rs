//! Orders: one item each, found by id, and by shopper through an index.

pub(crate) mod change;
pub(crate) mod form;
mod of_sale;
pub(crate) mod refunds;

use aws_sdk_dynamodb::{
    Client, operation::update_item::builders::UpdateItemFluentBuilder, types::ReturnValuesOnConditionCheckFailure,
};
use domain::{Address, Notice, Order, OrderId, OrderStatus, OrderStep, ProductId, ShopperId, Timestamp};

use change::OrderChange;
pub use of_sale::{PlacedOrder, PlacedPage};

use crate::{
    StoreError,
    batch::{KEYS_IN_A_BATCH, batch_get},
    error::{Written, conditional},
    item::{self, Item},
    keys::{self, number, string},
    single::{get_item, put_first},
    word::word,
};

/// The index of orders by shopper, newest last.
const BY_SHOPPER: &str = "shopper-index";
/// Orders per page.
const PAGE: i32 = 20;
/// The index of orders whose payment is in progress or whose shopper has to be told how it ended, by product, and of orders whose
/// refund is not confirmed; oldest first. No other order has the index's key attributes.
const UNSETTLED: &str = "unsettled-index";
/// Unsettled orders per page, about 200 bytes each.
const UNSETTLED_PAGE: i32 = 100;

/// The orders of all sales.
#[derive(Debug, Clone)]
pub struct Orders {
    client: Client,
    table: String,
}

/// The outcome of placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceOutcome {
    /// The order was written.
    Placed,
    /// The order existed already; this is its current state.
    Exists(Order),
}

/// The outcome of replacing an order's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressOutcome {
    /// The order has this address.
    Replaced,
    /// The order has changed since it was read, or does not wait for a payment; this is its current state.
    OrderIs(Order),
}

/// A page of a shopper's orders, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPage {
    /// At most 20 orders.
    pub orders: Vec<Order>,
    /// The last order of this page if there are more: the next page starts after it.
    pub next: Option<OrderId>,
}

/// An order that something has still to be done for, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledOrder {
    /// The order's id.
    pub id: OrderId,
    /// When the current attempt to pay started, or its refund failed, or when `reconcile` next asks for its operators' refunds; a
    /// whole second.
    pub since: Timestamp,
}

/// A page of unsettled orders, in the order of their times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledPage {
    /// At most 100 orders.
    pub orders: Vec<UnsettledOrder>,
    /// There are more: the next page starts after the last of these orders.
    pub more: bool,
}

impl Orders {
    /// Orders that [`Orders::get_all`] reads at once.
    pub const READ_AT_ONCE: usize = KEYS_IN_A_BATCH;

    /// The orders in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads an order, strongly consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::order(id), true).await?;
        item.as_ref().map(form::from_item).transpose()
    }

    /// Reads up to a hundred orders, strongly consistent, in one `BatchGetItem`. Returns those that exist, in no order. One that
    /// cannot be read, such as one with a status that only a later version knows, does not hide the others.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get_all(&self, ids: &[OrderId]) -> Result<Vec<(OrderId, Result<Order, StoreError>)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let items = batch_get(&self.client, &self.table, ids.iter().map(keys::order).collect(), true).await?;
        Ok(items.iter().filter_map(|item| Some((form::id(item)?, form::from_item(item)))).collect())
    }

    /// Writes an order that waits for its payment. One write. If the order exists already, the first one stays.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn place(&self, order: &Order) -> Result<PlaceOutcome, StoreError> {
        Ok(match put_first(&self.client, &self.table, form::to_item(order)?, || keys::order_pk(&order.id)).await? {
            None => PlaceOutcome::Placed,
            Some(first) => PlaceOutcome::Exists(form::from_item(&first)?),
        })
    }

    /// An update of the order's item, which `expression` begins. It counts the write.
    fn update(&self, id: &OrderId, expression: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::order(id)))
            .update_expression(format!("{expression}{}", form::REVISE))
            .expression_attribute_values(form::ONE, number(1))
    }

    /// An update of the order's item by one of its steps.
    fn change(&self, id: &OrderId, change: OrderChange) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::order(id)))
            .update_expression(change.update())
            .condition_expression(change.condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
    }

    /// Replaces the address of an order. One write.
    ///
    /// Guards: the order waits for a payment and has not changed since it was read, so a write that comes late or twice replaces
    /// no later address.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or there is no such order.
    pub async fn replace_address(&self, order: &Order, address: &Address, now: Timestamp) -> Result<AddressOutcome, StoreError> {
        let update = self
            .update(&order.id, "SET shipping_address = :address, updated_at = :now")
            .condition_expression("#status = :waits AND updated_at = :read")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":address", form::address(address)?)
            .expression_attribute_values(":now", item::value(&now)?)
            .expression_attribute_values(":read", item::value(&order.updated_at)?)
            .expression_attribute_values(":waits", word(OrderStatus::AwaitingPayment))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("UpdateItem", update.send().await)? {
            Written::Done => Ok(AddressOutcome::Replaced),
            Written::Refused(Some(item)) => Ok(AddressOutcome::OrderIs(form::from_item(&item)?)),
            Written::Refused(None) => Err(StoreError::corrupt(keys::order_pk(&order.id), "there is no such order")),
        }
    }

    /// Records that a pending order is about to be sent to its payment again. One write. False: another request sends it, or its
    /// attempt has ended.
    ///
    /// Guards: the attempt is the current one, and no message about it was sent since the order was read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn send_again(&self, order: &Order, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .update(&order.id, "SET sent_at = :now")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":now", item::value(&now)?)
            .expression_attribute_values(":pending", word(OrderStatus::Pending))
            .expression_attribute_values(":attempt", number(order.attempt));
        let current = "#status = :pending AND attempt = :attempt";
        let update = match order.sent_at {
            Some(read) => update
                .condition_expression(format!("{current} AND sent_at = :read"))
                .expression_attribute_values(":read", item::value(&read)?),
            None => update.condition_expression(format!("{current} AND attribute_not_exists(sent_at)")),
        };
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// Records that the shopper was told of the end of an attempt. One write. Takes the order out of the index of unsettled orders,
    /// unless its refund is pending. False: this was recorded before, or something else has to be told.
    ///
    /// Guards: the notice is owed for this attempt. That the order failed is also news enough where its payment failed.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn told(&self, id: &OrderId, attempt: u32, notice: Notice) -> Result<bool, StoreError> {
        let remove = match notice {
            // Recorded by `told_of_refunds`, because one notice may be owed for several refunds.
            Notice::OrderRefunded => return Ok(false),
            Notice::RefundFailed => "REMOVE untold",
            Notice::OrderCompleted | Notice::PaymentFailed | Notice::OrderFailed => "REMOVE untold, unsettled, unsettled_since",
        };
        let update = self
            .update(id, remove)
            .expression_attribute_values(":notice", word(notice))
            .expression_attribute_values(":attempt", number(attempt));
        let update = match notice {
            Notice::OrderFailed => update
                .condition_expression("untold IN (:notice, :weaker) AND attempt = :attempt")
                .expression_attribute_values(":weaker", word(Notice::PaymentFailed)),
            Notice::OrderCompleted | Notice::PaymentFailed | Notice::RefundFailed | Notice::OrderRefunded => {
                update.condition_expression("untold = :notice AND attempt = :attempt")
            }
        };
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// Ends an order that waits for its payment, because its hold has ended. One write. False: the order does not
    /// exist, does not wait, or waits beyond `held_until`.
    ///
    /// `held_until` is the end that the removed reservation had. An order that waits longer has another hold, which was claimed
    /// for late money. None: nobody has a reservation with this id.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn expire(&self, id: &OrderId, held_until: Option<Timestamp>, now: Timestamp) -> Result<bool, StoreError> {
        let mut change = OrderChange::new(OrderStep::Expired, id, None, now, None, None)?;
        if let Some(end) = held_until {
            change = change.only_if("pay_by <= :end").with(":end", number(end.as_second()));
        }
        Ok(matches!(conditional("UpdateItem", self.change(id, change).send().await)?, Written::Done))
    }

    /// A page of a shopper's orders, newest first, eventually consistent. With `after`: the page that follows this
    /// order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn of_shopper(&self, shopper: &ShopperId, after: Option<&Order>) -> Result<OrderPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_SHOPPER)
            .key_condition_expression("shopper = :shopper")
            .expression_attribute_values(":shopper", string(shopper.as_str()))
            .scan_index_forward(false)
            .limit(PAGE)
            .set_exclusive_start_key(after.map(index_key));
        let answer = query.send().await.map_err(|error| StoreError::call("Query", error))?;
        let more = answer.last_evaluated_key.is_some();
        let orders = answer.items.unwrap_or_default().iter().map(form::from_item).collect::<Result<Vec<_>, _>>()?;
        let next = orders.last().filter(|_| more).map(|order| order.id.clone());
        Ok(OrderPage { orders, next })
    }

    /// A page of a sale's orders whose payment started at or before `before`, and has not ended or has ended without a word to the
    /// shopper; oldest first, eventually consistent. With `after`: the page that follows this order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn unsettled(
        &self,
        product: &ProductId,
        before: Timestamp,
        after: Option<&UnsettledOrder>,
    ) -> Result<UnsettledPage, StoreError> {
        self.unsettled_page(product.as_str(), "unsettled_since <= :time", before, after, UNSETTLED_PAGE).await
    }

    /// A page of the orders of all sales whose refund failed at `since` or later and is not confirmed, oldest first, eventually
    /// consistent. With `after`: the page that follows this order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn refunds_pending(&self, since: Timestamp, after: Option<&UnsettledOrder>) -> Result<UnsettledPage, StoreError> {
        // DynamoDB refuses a place outside of the range. What follows one before it is all of the range.
        let after = after.filter(|order| order.since.as_second() >= since.as_second());
        self.unsettled_page(form::REFUND_PENDING, "unsettled_since >= :time", since, after, UNSETTLED_PAGE).await
    }

    async fn unsettled_page(
        &self,
        partition: &str,
        range: &str,
        time: Timestamp,
        after: Option<&UnsettledOrder>,
        most: i32,
    ) -> Result<UnsettledPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(UNSETTLED)
            .key_condition_expression(format!("unsettled = :partition AND {range}"))
            .expression_attribute_values(":partition", string(partition))
            .expression_attribute_values(":time", number(time.as_second()))
            .limit(most)
            .set_exclusive_start_key(after.map(|order| unsettled_key(partition, order)));
        let answer = query.send().await.map_err(|error| StoreError::call("Query", error))?;
        let more = answer.last_evaluated_key.is_some();
        let orders = answer.items.unwrap_or_default().iter().map(form::unsettled).collect::<Result<Vec<_>, _>>()?;
        Ok(UnsettledPage { orders, more })
    }
}

/// An order's key in the index of unsettled orders.
fn unsettled_key(partition: &str, order: &UnsettledOrder) -> Item {
    let mut key = keys::order(&order.id);
    key.insert("unsettled".to_owned(), string(partition));
    key.insert("unsettled_since".to_owned(), number(order.since.as_second()));
    key
}

/// An order's key in the shoppers' index.
fn index_key(order: &Order) -> Item {
    let mut key = keys::order(&order.id);
    key.insert("shopper".to_owned(), string(order.shopper.as_str()));
    key.insert("created_at".to_owned(), string(form::created_at_key(order)));
    key
}
