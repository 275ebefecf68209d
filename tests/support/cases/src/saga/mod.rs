//! Tables of the functions that the payment saga's tasks call.

mod charge_payment;
mod complete_order;
mod fail_order;
mod notify_shopper;
mod refund_payment;
mod sell_stock;
mod take_back_stock;

use crate::Table;
use crate::prelude::*;

pub(crate) const TABLES: [Table; 7] = [
    ("charge-payment", charge_payment::cases),
    ("complete-order", complete_order::cases),
    ("fail-order", fail_order::cases),
    ("notify-shopper", notify_shopper::cases),
    ("refund-payment", refund_payment::cases),
    ("sell-stock", sell_stock::cases),
    ("take-back-stock", take_back_stock::cases),
];

/// The input of a task for the first attempt to pay the first shopper's order, with these changes.
fn attempt(change: Value) -> Event {
    Event::Task(but(json!({"order_id": RESERVATION, "shopper": FIRST.id, "attempt": 1}), change))
}

/// An input that no task can read.
fn malformed(name: &'static str, change: Value) -> Case {
    case(name, attempt(change), [error("MalformedTask")])
}
