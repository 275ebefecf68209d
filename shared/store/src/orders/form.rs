//! The stored form of an order.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Address, Currency, GatewayName, Notice, Order, OrderEvent, OrderId, OrderLine, OrderStatus, OrderStep, PaymentMethod,
    PaymentStatus, ProductId, Quantity, Refund, RefundKey, RefundStatus, Refunds, ShopperId, StockStatus, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::UnsettledOrder;
use crate::{
    StoreError,
    item::{self, Item, attributes, money, name, parse, second},
    keys,
    word::{Word, Words},
};

#[derive(Serialize, Deserialize)]
struct OrderForm {
    order_id: OrderId,
    shopper: ShopperId,
    product: ProductId,
    quantity: Quantity,
    amount_minor: i64,
    currency: Currency,
    status: Word<OrderStatus>,
    payment_status: Word<PaymentStatus>,
    inventory_status: Word<StockStatus>,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod>,
    /// An earlier version stored none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<GatewayName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<AddressForm>,
    /// Epoch seconds.
    pay_by: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    /// Sort key of the indexes by shopper and by sale, so of fixed width: RFC 3339 with milliseconds.
    created_at: String,
    updated_at: Timestamp,
    history: Vec<EventForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
    /// Plain text: a later version's notice is left to that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    untold: Option<String>,
    /// Hash key of the index of unsettled orders, which contains no other orders: the product while the order is pending or its
    /// shopper has to be told how that ended, [`REFUND_PENDING`] while its refund is pending, [`REFUND_DUE`] while something is
    /// left to do for operators' refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled: Option<String>,
    /// When the attempt started, or its refund failed, or operators' refunds are asked for again, in epoch seconds; stored
    /// together with `unsettled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled_since: Option<i64>,
    /// Operators' refunds, which an earlier version does not know. The list is only appended to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundForm>,
    /// The number of writes that changed `refunds`.
    #[serde(default, skip_serializing_if = "is_zero")]
    refunds_revision: u32,
    /// The number of writes of the item. Every write adds one ([`REVISE`]). An earlier version stores none and leaves it as it is.
    #[serde(default, skip_serializing_if = "is_zero")]
    revision: u64,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// The end of every update expression of an order: it counts the write. [`ONE`] stands for the number.
pub(crate) const REVISE: &str = " ADD revision :one";
/// The placeholder in [`REVISE`].
pub(crate) const ONE: &str = ":one";

/// Partition of the index of unsettled orders with the orders of all sales whose refund is not confirmed. It has the form of a
/// product id because an earlier version reads the attribute as one. Readers look at the order itself, so a sale may have this
/// name.
pub(crate) const REFUND_PENDING: &str = "refund_pending";

/// Partition of the index of unsettled orders with the orders of all sales that have a pending refund which an operator
/// requested, or whose shopper has still to be told of a confirmed one. Their `unsettled_since` is the time at which the gateway
/// is asked again, and the shopper told. It has the form of a product id as [`REFUND_PENDING`] has, and readers look at the order
/// itself.
pub(crate) const REFUND_DUE: &str = "refund_due";

/// One refund. Its amount is in the currency of the order.
#[derive(Serialize, Deserialize)]
struct RefundForm {
    key: RefundKey,
    amount_minor: i64,
    #[serde(default)]
    is_rest: bool,
    #[serde(default)]
    return_unit: bool,
    status: Word<RefundStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: Timestamp,
}

impl From<&Refund> for RefundForm {
    fn from(refund: &Refund) -> Self {
        let Refund { key, amount, is_rest, return_unit, status, reason, at } = refund.clone();
        Self { key, amount_minor: amount.amount_minor(), is_rest, return_unit, status: Word(status), reason, at }
    }
}

impl RefundForm {
    fn refund(self, item: &Item, currency: Currency) -> Result<Refund, StoreError> {
        let Self { key, amount_minor, is_rest, return_unit, status, reason, at } = self;
        Ok(Refund { key, amount: money(item, amount_minor, currency)?, is_rest, return_unit, status: status.0, reason, at })
    }
}

/// Unlike an address in a request, it ignores fields that a later version has added.
#[derive(Serialize, Deserialize)]
struct AddressForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    address_line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address_line2: Option<String>,
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Empty: there is none. An earlier version, which needs the attribute, can still read the order.
    postal_code: String,
    country: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// A line of the history. What it says is plain text: see [`from_item`].
#[derive(Serialize, Deserialize)]
struct EventForm {
    at: Timestamp,
    event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&Address> for AddressForm {
    fn from(address: &Address) -> Self {
        let Address { name, address_line1, address_line2, city, state, postal_code, country, phone } = address.clone();
        let postal_code = postal_code.unwrap_or_default();
        Self { name, address_line1, address_line2, city, state, postal_code, country, phone }
    }
}

impl From<AddressForm> for Address {
    fn from(form: AddressForm) -> Self {
        let AddressForm { name, address_line1, address_line2, city, state, postal_code, country, phone } = form;
        let postal_code = Some(postal_code).filter(|code| !code.is_empty());
        Self { name, address_line1, address_line2, city, state, postal_code, country, phone }
    }
}

const LATE_MONEY_RETURNED: &str = "late_money_returned";

/// What a line says; `None` if only a later version knows.
fn line_of(word: &str) -> Option<OrderLine> {
    if word == LATE_MONEY_RETURNED { Some(OrderLine::LateMoneyReturned) } else { OrderStep::of(word).map(OrderLine::Step) }
}

impl From<&OrderEvent> for EventForm {
    fn from(event: &OrderEvent) -> Self {
        let word = match event.event {
            OrderLine::Step(step) => step.word(),
            OrderLine::LateMoneyReturned => LATE_MONEY_RETURNED,
        };
        Self { at: event.at, event: word.to_owned(), reason: event.reason.clone() }
    }
}

/// The time at which an order was placed, in the form of the sort key of the indexes by shopper and by sale.
pub(crate) fn created_at_key(order: &Order) -> String {
    milliseconds(order.created_at)
}

/// A time since 1970 in a form of fixed width, which sorts as text.
pub(crate) fn milliseconds(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// An address as an attribute.
pub(crate) fn address(of: &Address) -> Result<AttributeValue, StoreError> {
    item::value(&AddressForm::from(of))
}

/// A list of one line, to append to the history.
pub(crate) fn history_line(of: &OrderEvent) -> Result<AttributeValue, StoreError> {
    item::value(&[EventForm::from(of)])
}

/// A list of one refund, to append to the refunds.
pub(crate) fn refund_line(of: &Refund) -> Result<AttributeValue, StoreError> {
    item::value(&[RefundForm::from(of)])
}

pub(crate) fn to_item(order: &Order) -> Result<Item, StoreError> {
    let unsettled = match (order.status, order.payment_status) {
        (_, PaymentStatus::RefundPending) => Some(REFUND_PENDING.to_owned()),
        (_, _) if order.untold == Some(Notice::OrderRefunded) || order.refunds.pending().next().is_some() => {
            Some(REFUND_DUE.to_owned())
        }
        (status, _) if status == OrderStatus::Pending || order.untold.is_some() => Some(order.product().to_string()),
        (_, _) => None,
    };
    let body = OrderForm {
        order_id: order.id.clone(),
        shopper: order.shopper.clone(),
        product: order.product().clone(),
        quantity: order.quantity,
        amount_minor: order.amount.amount_minor(),
        currency: order.amount.currency(),
        status: Word(order.status),
        payment_status: Word(order.payment_status),
        inventory_status: Word(order.stock_status),
        attempt: order.attempt,
        payment_method: order.payment_method.clone(),
        accounts: order.accounts.clone(),
        shipping_address: order.shipping_address.as_ref().map(AddressForm::from),
        pay_by: order.pay_by.as_second(),
        transaction_id: order.transaction_id.clone(),
        created_at: created_at_key(order),
        updated_at: order.updated_at,
        history: order.history.iter().map(EventForm::from).collect(),
        sent_at: order.sent_at,
        untold: order.untold.map(|notice| notice.word().to_owned()),
        // The last step of a pending order is the start of its payment.
        unsettled_since: unsettled.is_some().then_some(order.updated_at.as_second()),
        unsettled,
        refunds: order.refunds.all.iter().map(RefundForm::from).collect(),
        refunds_revision: order.refunds.revision,
        revision: order.revision,
    };
    attributes(keys::order(&order.id), &body)
}

/// Skips a line of the history whose step only a later version knows. Only shoppers read the history: no decision
/// depends on it. The line stays in the item, because the store only ever appends to the history.
pub(crate) fn from_item(item: &Item) -> Result<Order, StoreError> {
    let form: OrderForm = parse(item)?;
    let line = |form: EventForm| Some(OrderEvent { event: line_of(&form.event)?, at: form.at, reason: form.reason });
    let currency = form.currency;
    let refunds = form.refunds.into_iter().map(|refund| refund.refund(item, currency)).collect::<Result<_, _>>()?;
    Ok(Order {
        refunds: Refunds { all: refunds, revision: form.refunds_revision },
        revision: form.revision,
        amount: money(item, form.amount_minor, form.currency)?,
        pay_by: second(item, form.pay_by)?,
        created_at: form.created_at.parse().map_err(|error| StoreError::corrupt(name(item), error))?,
        id: form.order_id,
        shopper: form.shopper,
        quantity: form.quantity,
        status: form.status.0,
        payment_status: form.payment_status.0,
        stock_status: form.inventory_status.0,
        attempt: form.attempt,
        payment_method: form.payment_method,
        accounts: form.accounts,
        shipping_address: form.shipping_address.map(Address::from),
        transaction_id: form.transaction_id,
        updated_at: form.updated_at,
        sent_at: form.sent_at,
        untold: form.untold.as_deref().and_then(Notice::of),
        history: form.history.into_iter().filter_map(line).collect(),
    })
}

/// The order's id by its key: also of an item that cannot be read.
pub(crate) fn id(item: &Item) -> Option<OrderId> {
    keys::parse_order_pk(item.get("pk")?.as_s().ok()?)
}

/// An order as the index of unsettled orders has it.
pub(crate) fn unsettled(item: &Item) -> Result<UnsettledOrder, StoreError> {
    #[derive(Deserialize)]
    struct Form {
        pk: String,
        unsettled_since: i64,
    }
    let form: Form = parse(item)?;
    let id = keys::parse_order_pk(&form.pk).ok_or_else(|| StoreError::corrupt(name(item), "not an order"))?;
    Ok(UnsettledOrder { id, since: second(item, form.unsettled_since)? })
}
