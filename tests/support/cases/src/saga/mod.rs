//! Tables of the functions that the payment saga's tasks call.

pub(crate) mod await_action;
pub(crate) mod capture_payment;
pub(crate) mod charge_payment;
pub(crate) mod complete_order;
pub(crate) mod fail_order;
pub(crate) mod notify_shopper;
pub(crate) mod refund_payment;
pub(crate) mod sell_stock;
pub(crate) mod take_back_stock;

use crate::prelude::*;

/// The input of a task for the first attempt to pay the first shopper's order, with these changes.
fn attempt(change: Value) -> Event {
    Event::Task(but(json!({"order_id": RESERVATION, "shopper": FIRST.id, "attempt": 1}), change))
}

/// An input that no task can read.
fn malformed(name: &'static str, change: Value) -> Case {
    case(name, attempt(change), [error("MalformedTask")])
}
