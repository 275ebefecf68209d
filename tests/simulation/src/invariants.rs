//! What must hold, by the items alone: after every write, and once everything is quiet.

use std::collections::BTreeMap;

use domain::{Clock, ReservationId, Timestamp};
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
pub(crate) const NO_LONGER_THAN_A_RUN: &str = "no hold outlives its end by more than a run of reconcile";
pub(crate) const SHUT: &str = "no yes while the sale is paused or closed";
pub(crate) const REPORT: &str = "the report says what there is";
pub(crate) const NO_PANIC: &str = "nothing panics";
pub(crate) const NO_SURPRISE: &str = "no answer says that something is broken";

/// How much earlier than promised an environment may take a hold for over: as much as its clock is ahead, and a second.
const LATITUDE: SignedDuration = SignedDuration::from_secs(3);

/// After the answer that a sale is paused or closed, environments may say yes by what they remember: for a second, by a clock that is
/// 2 s ahead or has jumped back.
const FORGETS_WITHIN: SignedDuration = SignedDuration::from_secs(4);

/// A claim may be made by a request that began this long before, by its own clock: the time-out of `reserve`, and a clock that is
/// 2 s behind.
const LASTS_AT_MOST: SignedDuration = SignedDuration::from_secs(8);

/// A hold that `reconcile` has ended is released by the stream after that.
const RELEASED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

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
    /// Of what is held, s since 1970.
    ends_at: i64,
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
            ends_at: number(&entry["M"], "x"),
        })
    })
}

fn orders(items: &Mirror) -> impl Iterator<Item = (&str, &Value)> {
    of_table(items, ORDER).filter(|(key, _)| key.sk == "ORDER").map(|(_, item)| (text(item, "order_id"), item))
}

fn id_of(ulid: &str) -> String {
    format!("{}.{ulid}", World::product())
}

fn ulid(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or_default()
}

/// Units that are sold.
pub(crate) fn sold_units(items: &Mirror) -> i64 {
    entries(items, "sold").map(|entry| entry.units).sum()
}

/// Units that nobody has.
pub(crate) fn available(items: &Mirror) -> i64 {
    shards(items).map(|(_, item)| number(item, "available")).sum()
}

/// What holds always.
pub(crate) fn always(world: &World) -> Outcome {
    let now = world.time.now();
    world.tables.look(|items| {
        let most = world.size.units + world.operated.lock().unwrap().asked;
        ledgers(items, most)?;
        purchases(items)?;
        reservations(world, items)?;
        charges(items)?;
        promises(world, items, now)?;
        shut(world)
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

fn reservations(world: &World, items: &Mirror) -> Outcome {
    for (key, item) in of_table(items, RESERVATION).filter(|(_, item)| !has_come_back(world, item)) {
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

/// A reservation that was ended and is there again, because the run that made it wrote it twice. It has no units, cannot be bought,
/// and goes with its own end.
fn has_come_back(world: &World, reservation: &Value) -> bool {
    text(reservation, "status") != "PURCHASED" && world.tables.came_back(text(reservation, "reservation_id"))
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

/// Nobody is promised units that were claimed while the sale takes no reservations.
fn shut(world: &World) -> Outcome {
    let (operated, promises) = (world.operated.lock().unwrap(), world.promises.lock().unwrap());
    let promised = promises.holds.keys().map(|(_, id)| id).chain(&promises.accepted);
    for id in promised {
        let claimed_at = id.parse::<ReservationId>().unwrap().made_at();
        let is_within = |(from, until): &&(Timestamp, Timestamp)| {
            claimed_at > from.checked_add(FORGETS_WITHIN).unwrap() && claimed_at < until.checked_sub(LASTS_AT_MOST).unwrap()
        };
        if let Some((from, _)) = operated.shut.iter().find(is_within) {
            return fail(SHUT, format!("{id} was claimed at {claimed_at}, and the sale is paused or closed since {from}"));
        }
    }
    Ok(())
}

/// At the start of a run of `reconcile`, once all is quiet: what the run before it should have ended is gone.
pub(crate) fn none_is_overdue(world: &World, interval: SignedDuration) -> Outcome {
    let now = world.time.now();
    let patience = interval + RELEASED_WITHIN;
    if world.quiet_since().is_none_or(|since| now < since.checked_add(patience + interval).unwrap()) {
        return Ok(());
    }
    let before = now.checked_sub(patience).unwrap().as_second();
    world.tables.look(|items| {
        for held in entries(items, "held") {
            let is_its = |item: &&Value| ulid(text(item, "reservation_id")) == held.ulid && number(item, "shard") == held.shard;
            let reservation = of_table(items, RESERVATION).map(|(_, item)| item).find(is_its);
            // Payments have a time of their own; a failed one prolongs the hold in its reservation alone.
            let ends_at = match reservation {
                Some(item) if text(item, "status") != "HELD" => continue,
                Some(item) => held.ends_at.max(number(item, "expires_at")),
                // The stream is about to release what was held until then.
                None => held.ends_at.max(world.tables.ended_at(&id_of(held.ulid)).unwrap_or(0)),
            };
            if ends_at < before {
                let Entry { shopper, units, shard, .. } = held;
                return fail(
                    NO_LONGER_THAN_A_RUN,
                    format!("{shopper}'s {units} units of shard {shard} were held until {ends_at}"),
                );
            }
        }
        Ok(())
    })
}

/// What holds once everything is quiet.
pub(crate) fn finally(world: &World) -> Outcome {
    let now = world.time.now();
    world.tables.look(|items| {
        money(items)?;
        sold(items)?;
        checkouts(world, items, now)?;
        holds(items)?;
        let operated = world.operated.lock().unwrap();
        if operated.is_closed {
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

/// What the sandbox's own books say of an order: how often each of its attempts was charged and refunded.
fn books(items: &Mirror, order: &str) -> Vec<(i64, i64)> {
    let is_of_order = |key: &Key| key.pk.strip_prefix("ORDER#") == Some(order) && key.sk.starts_with("SANDBOX#");
    let of_order = of_table(items, ORDER).filter(|(key, _)| is_of_order(key));
    of_order.map(|(_, entry)| (number(entry, "charges"), number(entry, "refunds"))).collect()
}

/// What holds of charges at any time: none is made or given back twice, a completed order keeps one, and one that waits for a payment
/// has paid nothing.
fn charges(items: &Mirror) -> Outcome {
    for (id, order) in orders(items) {
        let books = books(items, id);
        if books.iter().any(|(charges, refunds)| *charges > 1 || refunds > charges) {
            return fail(MONEY_BACK, format!("the charges and refunds of order {id} are {books:?}"));
        }
        let kept: i64 = books.iter().map(|(charges, refunds)| charges - refunds).sum();
        match text(order, "status") {
            "completed" if kept != 1 => {
                return fail(CHARGED_ONCE, format!("order {id} is completed, and its charges and refunds are {books:?}"));
            }
            "awaiting_payment" if kept != 0 => {
                return fail(MONEY_BACK, format!("order {id} waits for a payment, and its charges and refunds are {books:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What holds in the end: nothing but what completed orders keep was charged and not given back.
fn money(items: &Mirror) -> Outcome {
    for (id, order) in orders(items) {
        let (books, status) = (books(items, id), text(order, "status"));
        let kept = books.iter().filter(|(charges, refunds)| charges != refunds).count();
        if kept != usize::from(status == "completed") {
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
