//! STAND-IN for `reconcile`, in the simulation only: what a crash leaves half-way and nothing else finishes. When the function
//! is there, [`settle`] invokes it until it has nothing to do, and this file goes.

use std::sync::Arc;

use domain::{Clock, ReservationId, ShardNumber, ShopperId, Timestamp};
use jiff::SignedDuration;
use messages::OrderMessage;
use serde_json::{Value, json};
use store::Ending;

use crate::{
    environments,
    tables::{Key, Mirror, ORDER, RESERVATION, STOCK, number, text},
    world::World,
};

/// A hold without a reservation is abandoned after this, as `reserve` has it.
const ABANDONED_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// Finishes what is half-way. Says how many things there were to do.
pub(crate) async fn settle(world: &Arc<World>) -> usize {
    let now = world.time.now();
    let found = world.tables.look(|items| find(world, items, now));
    for repair in &found {
        world.note(|| format!("stand-in: {repair:?}"));
        make(world, repair, now).await;
    }
    found.len()
}

#[derive(Debug)]
enum Repair {
    /// A hold whose reservation is not there.
    Release { shopper: ShopperId, shard: ShardNumber, reservation: ReservationId },
    /// A hold whose time is over.
    End { shopper: ShopperId, reservation: ReservationId },
    /// A pending order without an execution that runs.
    Resume(OrderMessage),
    /// Money that was not given back when its order ended: a person does it.
    Refund { task: Value, reservation: Key },
}

fn find(world: &World, items: &Mirror, now: Timestamp) -> Vec<Repair> {
    let mut found = Vec::new();
    let reservation_of = |shopper: &str| {
        let pk = format!("SHOPPER#{shopper}");
        items.iter().find(|(key, _)| key.table == RESERVATION && key.pk == pk).map(|(_, item)| item)
    };
    for (key, shard) in items.iter().filter(|(key, _)| key.table == STOCK && key.pk.starts_with("SHARD#")) {
        for (shopper, hold) in shard["held"]["M"].as_object().into_iter().flatten() {
            let reservation = ReservationId::of(&World::product(), text(&hold["M"], "r")).unwrap();
            let is_reserved =
                reservation_of(shopper).is_some_and(|found| text(found, "reservation_id") == reservation.to_string());
            if !is_reserved && reservation.made_at().checked_add(ABANDONED_AFTER).unwrap() < now {
                let shard = ShardNumber(key.pk.rsplit('#').next().unwrap().parse().unwrap());
                found.push(Repair::Release { shopper: shopper.parse().unwrap(), shard, reservation });
            }
        }
    }
    for (key, item) in items.iter().filter(|(key, _)| key.table == RESERVATION) {
        if text(item, "status") == "HELD" && number(item, "expires_at") < now.as_second() {
            let shopper = key.pk.trim_start_matches("SHOPPER#").parse().unwrap();
            found.push(Repair::End { shopper, reservation: text(item, "reservation_id").parse().unwrap() });
        }
    }
    for (_, order) in items.iter().filter(|(key, _)| key.table == ORDER && key.sk == "ORDER") {
        let message = OrderMessage {
            order_id: text(order, "order_id").parse().unwrap(),
            shopper: text(order, "shopper").parse().unwrap(),
            attempt: u32::try_from(number(order, "attempt")).unwrap(),
        };
        let runs = world.executions.is_running(&message.execution_name());
        if text(order, "status") == "pending" && !runs {
            found.push(Repair::Resume(message));
        } else if text(order, "payment_status") == "refund_pending" {
            let mut of_order = items
                .iter()
                .filter(|(key, item)| key.table == RESERVATION && text(item, "reservation_id") == text(order, "order_id"));
            if let Some((reservation, _)) = of_order.next() {
                found.push(Repair::Refund { task: serde_json::to_value(&message).unwrap(), reservation: reservation.clone() });
            }
        }
    }
    found
}

async fn make(world: &Arc<World>, repair: &Repair, now: Timestamp) {
    match repair {
        Repair::Release { shopper, shard, reservation } => {
            world.clients.stock().release(*shard, shopper, reservation).await.unwrap();
        }
        Repair::End { shopper, reservation } => {
            world.clients.reservations().end(shopper, reservation, Ending::Overdue(now)).await.unwrap();
        }
        Repair::Resume(message) => {
            // A name is good once, so what was aborted goes on under another.
            let mut name = message.execution_name();
            while world.executions.has_been(&name) {
                if world.executions.is_running(&name) {
                    return;
                }
                name.push_str("-again");
            }
            world.executions.start(world, &name, serde_json::to_value(message).unwrap());
        }
        Repair::Refund { task, reservation } => {
            for function in ["refund-payment", "take-back-stock"] {
                if !matches!(environments::task(world, function, task.clone()).await, Ok(Ok(_))) {
                    return;
                }
            }
            let key = json!({"pk": {"S": reservation.pk}, "sk": {"S": reservation.sk}});
            world.tables.serve("DeleteItem", &json!({"TableName": RESERVATION, "Key": key}));
        }
    }
}
