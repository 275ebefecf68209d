//! The events of orders: what a reader knows of an order is what its item says. It reads the item's attributes itself, because the
//! check must not trust the store's own reading.

use serde_json::{Value, json};

use super::{
    invariants::{EVENTS, Outcome, fail},
    items::orders,
};
use crate::{
    services::tables::{Mirror, number, text},
    world::World,
};

/// Checks that the event with the highest revision of each order is the order, and that no two events of a revision differ.
pub(super) fn finally(world: &World, items: &Mirror) -> Outcome {
    world.bus.look(|read| {
        if let Some((one, other)) = &read.contradiction {
            return fail(EVENTS, format!("two events have the same revision: {one} and {other}"));
        }
        for (id, item) in orders(items) {
            let known = read.orders.get(id).and_then(|revisions| revisions.last_key_value()).map(|(_, event)| brief(event));
            let expected = expected(item);
            if known.as_ref() != Some(&expected) {
                return fail(EVENTS, format!("order {id} is {expected}, and its events say {known:?}"));
            }
        }
        Ok(())
    })
}

/// The members of an event that a reader acts upon.
fn brief(event: &Value) -> Value {
    let lines = event["history"].as_array().into_iter().flatten().map(|line| line["event"].clone());
    json!({
        "revision": event["revision"],
        "statuses": [event["order_status"], event["payment_status"], event["inventory_status"]],
        "attempt": event["attempt"],
        "quantity": event["quantity"],
        "price": event["price"]["amount_minor"],
        "refunded": event["refunded"]["amount_minor"],
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn expected(item: &Value) -> Value {
    let lines = item["history"]["L"].as_array().into_iter().flatten().map(|line| text(&line["M"], "event"));
    let refunds = item["refunds"]["L"].as_array().into_iter().flatten().map(|refund| &refund["M"]);
    let refunded = refunds.filter(|refund| text(refund, "status") == "refunded");
    json!({
        "revision": number(item, "revision"),
        "statuses": [text(item, "status"), text(item, "payment_status"), text(item, "inventory_status")],
        "attempt": number(item, "attempt"),
        "quantity": number(item, "quantity"),
        "price": number(item, "amount_minor"),
        "refunded": refunded.map(|refund| number(refund, "amount_minor")).sum::<i64>(),
        "lines": lines.collect::<Vec<_>>(),
    })
}
