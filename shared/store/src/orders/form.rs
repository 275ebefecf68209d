//! An order as it is stored.

use domain::{
    Address, Currency, Order, OrderEvent, OrderId, OrderStatus, PaymentMethod, PaymentStatus, ProductId, Quantity, ShopperId,
    StockStatus, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Unsettled;
use crate::{
    StoreError,
    item::{Item, attributes, money, name, parse, second},
    keys,
};

#[derive(Serialize, Deserialize)]
struct OrderForm {
    order_id: OrderId,
    shopper: ShopperId,
    product: ProductId,
    quantity: Quantity,
    amount_minor: i64,
    currency: Currency,
    status: OrderStatus,
    payment_status: PaymentStatus,
    inventory_status: StockStatus,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    /// Epoch seconds.
    pay_by: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    /// Sort key of the shoppers' index, so of one width: RFC 3339 with milliseconds.
    created_at: String,
    updated_at: Timestamp,
    history: Vec<OrderEvent>,
    /// The product, while the order is pending: hash key of the index of unsettled orders, which has no other orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled: Option<ProductId>,
    /// Epoch seconds; with `unsettled`: when the attempt started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled_since: Option<i64>,
}

/// When an order was placed, as the sort key of the shoppers' index has it.
pub(crate) fn created_at_key(order: &Order) -> String {
    format!("{:.3}", order.created_at)
}

pub(crate) fn to_item(order: &Order) -> Result<Item, StoreError> {
    let is_unsettled = order.status == OrderStatus::Pending;
    let body = OrderForm {
        order_id: order.id.clone(),
        shopper: order.shopper.clone(),
        product: order.product().clone(),
        quantity: order.quantity,
        amount_minor: order.amount.amount_minor(),
        currency: order.amount.currency(),
        status: order.status,
        payment_status: order.payment_status,
        inventory_status: order.stock_status,
        attempt: order.attempt,
        payment_method: order.payment_method.clone(),
        shipping_address: order.shipping_address.clone(),
        pay_by: order.pay_by.as_second(),
        transaction_id: order.transaction_id.clone(),
        created_at: created_at_key(order),
        updated_at: order.updated_at,
        history: order.history.clone(),
        unsettled: is_unsettled.then(|| order.product().clone()),
        // The last thing that happened to a pending order is that its payment was started.
        unsettled_since: is_unsettled.then_some(order.updated_at.as_second()),
    };
    attributes(keys::order(&order.id), &body)
}

pub(crate) fn from_item(item: &Item) -> Result<Order, StoreError> {
    let form: OrderForm = parse(item)?;
    Ok(Order {
        amount: money(item, form.amount_minor, form.currency)?,
        pay_by: second(item, form.pay_by)?,
        created_at: form.created_at.parse().map_err(|error| StoreError::corrupt(name(item), error))?,
        id: form.order_id,
        shopper: form.shopper,
        quantity: form.quantity,
        status: form.status,
        payment_status: form.payment_status,
        stock_status: form.inventory_status,
        attempt: form.attempt,
        payment_method: form.payment_method,
        shipping_address: form.shipping_address,
        transaction_id: form.transaction_id,
        updated_at: form.updated_at,
        history: form.history,
    })
}

/// An order as the index of unsettled orders has it.
pub(crate) fn unsettled(item: &Item) -> Result<Unsettled, StoreError> {
    #[derive(Deserialize)]
    struct Form {
        pk: String,
        unsettled_since: i64,
    }
    let form: Form = parse(item)?;
    let id = keys::parse_order_pk(&form.pk).ok_or_else(|| StoreError::corrupt(name(item), "not an order"))?;
    Ok(Unsettled { id, since: second(item, form.unsettled_since)? })
}
