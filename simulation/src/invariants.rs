//! What must hold, by the items alone: after every write, and once everything is quiet.

use std::collections::BTreeMap;

use domain::{Clock, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    Violation,
    tables::{Key, Mirror, ORDER, RESERVATION, STOCK, number, text},
    world::World,
};

pub(crate) const LEDGER: &str = "every shard adds up";
pub(crate) const ONE_PURCHASE: &str = "one purchase per shopper and sale";
pub(crate) const UNITS_BEHIND: &str = "a reservation has its units";
pub(crate) const YES_STAYS: &str = "a yes stays true";
pub(crate) const CHARGED_ONCE: &str = "a completed order is charged exactly once";
pub(crate) const SOLD: &str = "a completed order has its units";
pub(crate) const MONEY_BACK: &str = "every other charge is refunded exactly once";
pub(crate) const CHECKOUT_ENDS: &str = "every accepted checkout ends";
pub(crate) const NO_HOLD_LEFT: &str = "no hold is left over";
pub(crate) const ALL_SOLD: &str = "everything is sold while there is demand";
pub(crate) const NOTHING_LEFT: &str = "nothing is left to finish";
pub(crate) const NO_FALSE_ALARM: &str = "no alarm is false";
pub(crate) const NO_PANIC: &str = "nothing panics";
pub(crate) const NO_SURPRISE: &str = "no answer says that something is broken";

/// How much earlier than promised an environment may take a hold for over: as much as its clock is ahead, and a second.
const LATITUDE: SignedDuration = SignedDuration::from_secs(3);

type Outcome = Result<(), Violation>;

fn fail(invariant: &'static str, detail: String) -> Outcome {
    Err(Violation { invariant, detail })
}

/// A unit's entry in a shard's `held` or `sold`.
struct Entry<'i> {
    shard: i64,
    shopper: &'i str,
    ulid: &'i str,
    units: i64,
}

fn of_table<'m>(items: &'m Mirror, table: &'m str) -> impl Iterator<Item = (&'m Key, &'m Value)> {
    items.iter().filter(move |(key, _)| key.table == table)
}

fn shards(items: &Mirror) -> impl Iterator<Item = (i64, &Value)> {
    let number = |key: &Key| key.pk.rsplit('#').next().and_then(|number| number.parse().ok()).unwrap_or(-1);
    of_table(items, STOCK).filter(|(key, _)| key.pk.starts_with("SHARD#")).map(move |(key, item)| (number(key), item))
}

fn entries<'m>(items: &'m Mirror, map: &'m str) -> impl Iterator<Item = Entry<'m>> {
    shards(items).flat_map(move |(shard, item)| {
        item[map]["M"].as_object().into_iter().flatten().map(move |(shopper, entry)| Entry {
            shard,
            shopper,
            ulid: text(&entry["M"], "r"),
            units: number(&entry["M"], "q"),
        })
    })
}

fn orders(items: &Mirror) -> impl Iterator<Item = (&str, &Value)> {
    of_table(items, ORDER).filter(|(key, _)| key.sk == "ORDER").map(|(_, item)| (text(item, "order_id"), item))
}

fn ulid(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or_default()
}

/// Units that nobody has.
pub(crate) fn available(items: &Mirror) -> i64 {
    shards(items).map(|(_, item)| number(item, "available")).sum()
}

/// What holds always.
pub(crate) fn always(world: &World) -> Outcome {
    let now = world.time.now();
    world.tables.look(|items| {
        ledgers(items, world.size.units)?;
        purchases(items)?;
        reservations(items)?;
        promises(world, items, now)
    })
}

fn ledgers(items: &Mirror, units: u32) -> Outcome {
    let mut capacities = 0;
    for (shard, item) in shards(items) {
        let of_shard = |map| entries(items, map).filter(|entry| entry.shard == shard).map(|entry| entry.units).sum::<i64>();
        let (available, held, sold) = (number(item, "available"), of_shard("held"), of_shard("sold"));
        let capacity = number(item, "capacity");
        capacities += capacity;
        if available < 0 || available + held + sold != capacity {
            return fail(LEDGER, format!("shard {shard}: {available} available + {held} held + {sold} sold, of {capacity}"));
        }
    }
    if capacities > i64::from(units) {
        return fail(LEDGER, format!("the shards have {capacities} units, the sale has {units}"));
    }
    Ok(())
}

fn purchases(items: &Mirror) -> Outcome {
    let mut sold: BTreeMap<&str, u32> = BTreeMap::new();
    entries(items, "sold").for_each(|entry| *sold.entry(entry.shopper).or_default() += 1);
    let mut completed: BTreeMap<&str, u32> = BTreeMap::new();
    let is_completed = |item: &Value| text(item, "status") == "completed";
    orders(items).filter(|(_, it)| is_completed(it)).for_each(|(_, it)| *completed.entry(text(it, "shopper")).or_default() += 1);
    match sold.iter().chain(&completed).find(|(_, times)| **times > 1) {
        Some((shopper, times)) => fail(ONE_PURCHASE, format!("{shopper} has bought {times} times")),
        None => Ok(()),
    }
}

fn reservations(items: &Mirror) -> Outcome {
    for (key, item) in of_table(items, RESERVATION) {
        let shopper = key.pk.trim_start_matches("SHOPPER#");
        let (id, status) = (text(item, "reservation_id"), text(item, "status"));
        let has = |map| {
            let mut of_shopper = entries(items, map).filter(|it| it.shopper == shopper && it.shard == number(item, "shard"));
            of_shopper.any(|it| it.ulid == ulid(id) && it.units == number(item, "quantity"))
        };
        let is_kept = match status {
            "HELD" => has("held"),
            "PURCHASED" => has("sold"),
            // Its saga may be giving the units back.
            _ => true,
        };
        if !is_kept {
            return fail(UNITS_BEHIND, format!("{shopper}'s reservation {id} is {status} and has no units"));
        }
    }
    Ok(())
}

fn promises(world: &World, items: &Mirror, now: Timestamp) -> Outcome {
    let promises = world.promises.lock().unwrap();
    let status = |id: &str| orders(items).find(|(order, _)| *order == id).map(|(_, item)| text(item, "status"));
    for ((shopper, id), until) in &promises.holds {
        let is_over = now >= until.checked_sub(LATITUDE).unwrap() || promises.cancelled.contains(id);
        if is_over || matches!(status(id), Some("failed" | "refunded")) {
            continue;
        }
        let kept = of_table(items, RESERVATION).any(|(_, item)| text(item, "reservation_id") == id);
        if !kept {
            return fail(YES_STAYS, format!("{shopper} was promised {id} until {until}, and it is gone"));
        }
    }
    match promises.completed.iter().find(|id| status(id) != Some("completed")) {
        Some(id) => fail(YES_STAYS, format!("order {id} was completed and is {:?}", status(id))),
        None => Ok(()),
    }
}

/// What holds once everything is quiet.
pub(crate) fn finally(world: &World) -> Outcome {
    let now = world.time.now();
    world.tables.look(|items| {
        money(items)?;
        sold(items)?;
        checkouts(world, items, now)?;
        holds(items)?;
        match shards(items).find(|(_, item)| number(item, "available") > 0) {
            Some((shard, item)) => {
                fail(ALL_SOLD, format!("shard {shard} still has {} units, and nobody got them", number(item, "available")))
            }
            None => Ok(()),
        }
    })
}

/// By the sandbox's own books.
fn money(items: &Mirror) -> Outcome {
    for (id, order) in orders(items) {
        let is_of_order = |key: &Key| key.pk.strip_prefix("ORDER#") == Some(id) && key.sk.starts_with("SANDBOX#");
        let books: Vec<(i64, i64)> = of_table(items, ORDER)
            .filter(|(key, _)| is_of_order(key))
            .map(|(_, entry)| (number(entry, "charges"), number(entry, "refunds")))
            .collect();
        let kept = books.iter().filter(|books| **books == (1, 0)).count();
        let is_odd = |(charges, refunds): &(i64, i64)| *charges > 1 || (charges != refunds && (*charges, *refunds) != (1, 0));
        let status = text(order, "status");
        let expected = usize::from(status == "completed");
        if status == "completed" && kept == 0 {
            return fail(CHARGED_ONCE, format!("order {id} is completed, and its charges and refunds are {books:?}"));
        }
        if kept != expected || books.iter().any(is_odd) {
            return fail(MONEY_BACK, format!("order {id} is {status}, and its charges and refunds are {books:?}"));
        }
    }
    Ok(())
}

fn sold(items: &Mirror) -> Outcome {
    let completed: BTreeMap<&str, (&str, i64)> = orders(items)
        .filter(|(_, order)| text(order, "status") == "completed")
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
            // Whoever looks at an order that nobody paid in time is told that it has expired.
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

fn holds(items: &Mirror) -> Outcome {
    if let Some(held) = entries(items, "held").next() {
        return fail(NO_HOLD_LEFT, format!("{} still holds {} units of shard {}", held.shopper, held.units, held.shard));
    }
    match of_table(items, RESERVATION).find(|(_, item)| text(item, "status") != "PURCHASED") {
        Some((key, item)) => fail(NO_HOLD_LEFT, format!("{} has a reservation that is {}", key.pk, text(item, "status"))),
        None => Ok(()),
    }
}
