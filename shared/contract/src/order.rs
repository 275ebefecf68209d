//! An order as its owner sees it.

use domain::{Money, Order, OrderStatus, OrderStep, PaymentStatus, StockStatus, Timestamp};
use serde::Serialize;

use crate::time;

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryView {
    at: String,
    event: OrderStep,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderView {
    order_id: String,
    product_id: String,
    quantity: u32,
    price: Money,
    order_status: OrderStatus,
    payment_status: PaymentStatus,
    inventory_status: StockStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_by: Option<String>,
    created_at: String,
    updated_at: String,
    history: Vec<HistoryView>,
}

impl OrderView {
    /// How `order` stands at `now`. `price` is what the whole order costs.
    #[must_use]
    pub fn new(order: &Order, now: Timestamp) -> Self {
        let (order_status, payment_status, inventory_status) = order.statuses(now);
        let history =
            order.history.iter().map(|line| HistoryView { at: time(line.at), event: line.event, reason: line.reason.clone() });
        Self {
            order_id: order.id.to_string(),
            product_id: order.product().to_string(),
            quantity: order.quantity.units(),
            price: order.amount,
            order_status,
            payment_status,
            inventory_status,
            transaction_id: order.transaction_id.clone(),
            pay_by: (order_status == OrderStatus::AwaitingPayment).then(|| time(order.pay_by)),
            created_at: time(order.created_at),
            updated_at: time(order.updated_at),
            history: history.collect(),
        }
    }
}

/// The answer to a checkout: that the order will be paid, or how it stands by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderAccepted {
    order_id: String,
    quantity: u32,
    order_status: OrderStatus,
    payment_status: PaymentStatus,
    inventory_status: StockStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_by: Option<String>,
}

impl OrderAccepted {
    /// How `order` stands at `now`.
    #[must_use]
    pub fn new(order: &Order, now: Timestamp) -> Self {
        let (order_status, payment_status, inventory_status) = order.statuses(now);
        let pay_by = (order_status == OrderStatus::AwaitingPayment).then(|| time(order.pay_by));
        Self {
            order_id: order.id.to_string(),
            quantity: order.quantity.units(),
            order_status,
            payment_status,
            inventory_status,
            pay_by,
        }
    }
}
