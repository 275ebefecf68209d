//! The person whom the alarms call. In the quiet time, this person follows docs/runbook.md for an order that is kept
//! for review, and for one that `reconcile` has given up on. It reads orders and starts executions by hand. It writes
//! no item.

use std::sync::Arc;

use messages::OrderMessage;

use crate::{
    services::tables::{Mirror, ORDER, number, text},
    world::World,
};

/// Starts the state machine by hand for the orders that no other component finishes. Returns how many.
pub(crate) fn called(world: &Arc<World>) -> usize {
    let orders = world.tables.look(|items| find(world, items));
    for message in &orders {
        let free = |n: &u32| !world.executions.has_been(&by_hand(message, *n));
        let name = by_hand(message, (1..100).find(free).unwrap());
        world.note(|| format!("a person starts {name}"));
        world.executions.start(world, &name, serde_json::to_value(message).unwrap());
    }
    orders.len()
}

fn by_hand(message: &OrderMessage, n: u32) -> String {
    format!("{}-by-hand-{n}", message.execution_name())
}

fn find(world: &World, items: &Mirror) -> Vec<OrderMessage> {
    let orders = items.iter().filter(|(key, _)| key.table == ORDER && key.sk == "ORDER").map(|(_, order)| order);
    let needs_a_person = |order: &&serde_json::Value| {
        let message = message(order);
        let was_given_up_on = || message.execution_names().all(|name| world.executions.has_ended(&name));
        text(order, "payment_status") == "refund_pending" || (text(order, "status") == "pending" && was_given_up_on())
    };
    orders.filter(needs_a_person).map(message).collect()
}

fn message(order: &serde_json::Value) -> OrderMessage {
    OrderMessage {
        order_id: text(order, "order_id").parse().unwrap(),
        shopper: text(order, "shopper").parse().unwrap(),
        attempt: u32::try_from(number(order, "attempt")).unwrap(),
    }
}
