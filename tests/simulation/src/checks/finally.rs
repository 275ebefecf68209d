//! The checks once everything is quiet. They may read the items, the promises and the operator's actions; they change nothing.

use std::collections::BTreeMap;

use domain::{Clock, Timestamp};
use serde_json::Value;

use super::{
    events,
    invariants::{
        ALL_SOLD, CAPTURED_OR_VOID, CHECKOUT_ENDS, DELETED, LEDGER, MONEY_BACK, NO_HOLD_LEFT, Outcome, SOLD, TOLD, fail,
    },
    items::{books, entries, is_authorised, orders, reservations, shards, sold_units, ulid},
    paid, refunds,
};
use crate::{
    services::{
        providers::Paid,
        tables::{Key, Mirror, STOCK, number, text},
    },
    world::World,
};

/// Checks the invariants that hold in the end.
pub(crate) fn holds(world: &World) -> Outcome {
    let (now, paid) = (world.time.now(), world.providers.paid());
    world.tables.look(|items| {
        money(items, &paid)?;
        paid::finally(&paid)?;
        paid::late_money(items, &paid)?;
        refunds::finally(world, items)?;
        sold(items)?;
        checkouts(world, items, now)?;
        notices(world, items)?;
        events::finally(world, items)?;
        nothing_is_held(items)?;
        let operated = world.operated.lock().unwrap();
        if operated.wants_deletion {
            deletion(operated.is_deleted, items)?;
        }
        if operated.is_over {
            return Ok(());
        }
        let (units, all) =
            (world.size.units + operated.added, shards(items).map(|(_, item)| number(item, "capacity")).sum::<i64>());
        if all != i64::from(units) {
            return fail(LEDGER, format!("the shards have {all} units, the sale has {units}"));
        }
        match shards(items).find(|(_, item)| number(item, "available") > 0) {
            Some((shard, item)) => {
                fail(ALL_SOLD, format!("shard {shard} still has {} units, and nobody got them", number(item, "available")))
            }
            None => Ok(()),
        }
    })
}

/// Checks that a deleted sale is gone, and that only purchases have prevented a deletion. A slow restock may have left shards.
fn deletion(is_deleted: bool, items: &Mirror) -> Outcome {
    if !is_deleted {
        return if sold_units(items) > 0 { Ok(()) } else { fail(DELETED, "it is refused, and no unit is sold".to_owned()) };
    }
    let describes = |key: &&Key| {
        key.table == STOCK && (key.sk == "META" || ["SALES", "ENDED"].contains(&key.pk.as_str()) || key.sk == "AVAILABILITY")
    };
    let is_left = |(key, item): &(&Key, &Value)| key.sk != "AVAILABILITY" || item["deleted"]["BOOL"] != true;
    match items.iter().filter(|(key, _)| describes(key)).find(is_left) {
        Some((key, item)) => fail(DELETED, format!("{} {} is left: {item}", key.pk, key.sk)),
        None => Ok(()),
    }
}

/// Checks the charges in the end: only completed orders keep a charge that was not refunded, and no money stays reserved.
fn money(items: &Mirror, paid: &[Paid]) -> Outcome {
    for (id, order) in orders(items) {
        let (books, status) = (books(items, paid, id), text(order, "status"));
        if is_authorised(items, id) {
            return fail(CAPTURED_OR_VOID, format!("order {id} is {status}, and still has an authorisation"));
        }
        let kept = books.iter().filter(|(charges, refunds)| charges != refunds).count();
        if kept != usize::from(status == "completed") {
            return fail(MONEY_BACK, format!("order {id} is {status}, and its charges and refunds are {books:?}"));
        }
    }
    Ok(())
}

fn sold(items: &Mirror) -> Outcome {
    let completed: BTreeMap<&str, (&str, i64)> = orders(items)
        // After a refund without its units, the shopper keeps them.
        .filter(|(_, order)| match text(order, "status") {
            "refunded" => text(order, "inventory_status") == "confirmed",
            status => status == "completed",
        })
        .map(|(id, order)| (ulid(id), (text(order, "shopper"), number(order, "quantity"))))
        .collect();
    let sold: BTreeMap<&str, (&str, i64)> =
        entries(items, "sold").map(|entry| (entry.ulid, (entry.shopper, entry.units))).collect();
    if completed == sold { Ok(()) } else { fail(SOLD, format!("completed are {completed:?}, sold are {sold:?}")) }
}

fn checkouts(world: &World, items: &Mirror, now: Timestamp) -> Outcome {
    for (id, order) in orders(items) {
        let is_under_way = match text(order, "status") {
            "pending" => true,
            // The API reports an order that was not paid in time as expired.
            "awaiting_payment" => number(order, "pay_by") > now.as_second(),
            _ => false,
        };
        if is_under_way {
            return fail(CHECKOUT_ENDS, format!("order {id} is {}", text(order, "status")));
        }
    }
    let promises = world.promises.lock().unwrap();
    match promises.accepted.iter().find(|id| !orders(items).any(|(order, _)| order == id.as_str())) {
        Some(id) => fail(CHECKOUT_ENDS, format!("order {id} was accepted and is not there")),
        None => Ok(()),
    }
}

/// Checks that every shopper was told how the last payment of each order ended, and after that of each refund.
fn notices(world: &World, items: &Mirror) -> Outcome {
    let promises = world.promises.lock().unwrap();
    for (id, order) in orders(items) {
        let steps = order["history"]["L"].as_array().into_iter().flatten().map(|line| text(&line["M"], "event"));
        let notices = steps.rev().find_map(|step| match step {
            "completed" => Some(&["order-completed"][..]),
            // Told late, or of a payment that failed when the time was over, the order has failed.
            "payment_failed" => Some(&["payment-failed", "order-failed"]),
            "refunded" | "failed" | "refund_confirmed" => Some(&["order-failed"]),
            "refund_failed" => Some(&["refund-failed"]),
            _ => None,
        });
        let is_told = |notice: &&str| promises.told.contains(&(id.to_owned(), (*notice).to_owned()));
        if notices.is_some_and(|notices| !notices.iter().any(is_told)) {
            return fail(TOLD, format!("order {id} is {}, and nobody was told", text(order, "status")));
        }
        let (refunded, known) = (refunds::confirmed(items, id), promises.refunds_told.get(id).copied().unwrap_or(0));
        if refunded != known {
            return fail(TOLD, format!("order {id} has {refunded} confirmed refunds, and its shopper knows of {known}"));
        }
    }
    Ok(())
}

fn nothing_is_held(items: &Mirror) -> Outcome {
    if let Some(held) = entries(items, "held").next() {
        return fail(NO_HOLD_LEFT, format!("{} still holds {} units of shard {}", held.shopper, held.units, held.shard));
    }
    match reservations(items).find(|(_, item)| text(item, "status") != "PURCHASED") {
        Some((pk, item)) => fail(NO_HOLD_LEFT, format!("{pk} has a reservation that is {}", text(item, "status"))),
        None => Ok(()),
    }
}
