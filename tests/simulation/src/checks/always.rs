//! The checks after every write. They may read the items, the promises and the operator's actions; they change nothing.

use std::collections::BTreeMap;

use domain::{Clock, ReservationId, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    invariants::{
        CAPTURED_IS_SOLD, CHARGED_ONCE, COUNTED_ONCE, LAST_ADDRESS, LATEST_END, LEDGER, LISTED, MONEY_BACK, ONE_PURCHASE,
        Outcome, RETURNS_SOON, SHUT, UNITS_BEHIND, YES_STAYS, fail,
    },
    items::{self, Entry, books, entries, is_captured, orders, shards, ulid},
    paid, refunds,
};
use crate::{
    actors::operator::may_be_over,
    services::{
        providers::Paid,
        tables::{Mirror, number, text},
    },
    world::World,
};

/// How much too early an environment may consider a hold ended: its clock may be 2 s ahead, plus one second.
const LATITUDE: SignedDuration = SignedDuration::from_secs(3);

/// How long environments may still say yes after the answer that a sale is paused or closed: they remember the sale for
/// a second, by a clock that is 2 s ahead or has jumped back.
const FORGETS_WITHIN: SignedDuration = SignedDuration::from_secs(4);

/// How long before its claim a request may have begun, by its own clock: the time-out of `reserve`, and a clock that is
/// 2 s behind.
const LASTS_AT_MOST: SignedDuration = SignedDuration::from_secs(8);

/// How long after its end an unpaid hold returns, if there are no faults.
const RETURNS_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// Checks the invariants that hold after every write.
pub(crate) fn holds(world: &World) -> Outcome {
    let (now, paid) = (world.time.now(), world.providers.paid());
    world.tables.look(|items| {
        let most = world.size.units + world.operated.lock().unwrap().asked;
        ledgers(items, most)?;
        purchases(items)?;
        reservations(world, items)?;
        latest_ends(world, items)?;
        unpaid_ends(world, items)?;
        charges(items, &paid)?;
        paid::always(items, &paid)?;
        pending_refunds(items)?;
        refunds::always(world, items, &paid)?;
        promises(world, items, now)?;
        shut(world)?;
        returns(world, items, now)
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
    for (pk, item) in items::reservations(items).filter(|(_, item)| !has_come_back(world, item)) {
        let shopper = pk.trim_start_matches("SHOPPER#");
        let (id, status) = (text(item, "reservation_id"), text(item, "status"));
        let has = |map| {
            let mut of_shopper = entries(items, map).filter(|it| it.shopper == shopper && it.shard == number(item, "shard"));
            of_shopper.any(|it| it.ulid == ulid(id) && it.units == number(item, "quantity"))
        };
        let is_kept = match status {
            "HELD" => has("held"),
            // An operator's refund has taken them back, and is about to delete the reservation.
            "PURCHASED" => has("sold") || refunds::is_returning(items, id),
            // The saga may be releasing the units.
            _ => true,
        };
        if !is_kept {
            return fail(UNITS_BEHIND, format!("{shopper}'s reservation {id} is {status} and has no units"));
        }
    }
    Ok(())
}

/// Whether a reservation exists again after its end because the run that made it wrote it twice. It has no units,
/// cannot be bought, and disappears at its own end.
fn has_come_back(world: &World, reservation: &Value) -> bool {
    text(reservation, "status") != "PURCHASED" && world.tables.came_back(text(reservation, "reservation_id"))
}

/// Checks that no reservation is held for longer than a hold of the sale may last. Holds end at whole seconds.
fn latest_ends(world: &World, items: &Mirror) -> Outcome {
    let most = 1_000 * i64::from(world.size.max_hold_seconds);
    for (_, item) in items::reservations(items).filter(|(_, item)| text(item, "status") == "HELD") {
        let lasts = 1_000 * number(item, "expires_at") - number(item, "created_at");
        if lasts >= most + 1_000 {
            return fail(LATEST_END, format!("{} is held for {lasts} ms, at most {most}", text(item, "reservation_id")));
        }
    }
    Ok(())
}

/// Checks that an operator finds every order whose refund is pending, and no other but one whose shopper has to be told.
fn pending_refunds(items: &Mirror) -> Outcome {
    let is_wrong = |order: &Value| match (text(order, "payment_status"), text(order, "unsettled")) {
        ("refund_pending", partition) => partition != "refund_pending",
        (_, partition) => partition == "refund_pending" && text(order, "untold").is_empty(),
    };
    match orders(items).find(|(_, order)| is_wrong(order)) {
        Some((id, order)) => fail(LISTED, format!("order {id} is {}", text(order, "payment_status"))),
        None => Ok(()),
    }
}

/// Checks that no shopper has more unpaid ends than reservations that ended.
fn unpaid_ends(world: &World, items: &Mirror) -> Outcome {
    for (pk, counted) in items::unpaid_ends(items) {
        let ended = world.tables.ended_of(pk);
        if counted > ended {
            return fail(COUNTED_ONCE, format!("{pk} has {counted} unpaid ends, and {ended} reservations that ended"));
        }
    }
    Ok(())
}

fn promises(world: &World, items: &Mirror, now: Timestamp) -> Outcome {
    let are_holds_ended = may_be_over(world) && world.operated.lock().unwrap().are_holds_ended;
    let promises = world.promises.lock().unwrap();
    let status = |id: &str| orders(items).find(|(order, _)| *order == id).map(|(_, item)| text(item, "status"));
    for ((shopper, id), until) in &promises.holds {
        let is_over = now >= until.checked_sub(LATITUDE).unwrap() || promises.cancelled.contains(id);
        // The operator ends what is only held, and leaves alone what is being paid.
        let may_be_ended = are_holds_ended && !matches!(status(id), Some("pending" | "completed"));
        if is_over || may_be_ended || matches!(status(id), Some("failed" | "refunded")) {
            continue;
        }
        let kept = items::reservations(items).any(|(_, item)| text(item, "reservation_id") == id);
        if !kept {
            return fail(YES_STAYS, format!("{shopper} was promised {id} until {until}, and it is gone"));
        }
    }
    for (id, order) in orders(items).filter(|(_, order)| text(order, "status") == "completed") {
        let city = text(&order["shipping_address"]["M"], "city");
        if !promises.may_go_to(text(order, "shopper"), id, city) {
            return fail(LAST_ADDRESS, format!("order {id} is completed, and goes to {city:?}"));
        }
    }
    // An operator may have refunded it.
    let stays = |id: &str| match status(id) {
        Some("refunded") => refunds::confirmed(items, id) > 0,
        status => status == Some("completed"),
    };
    match promises.completed.iter().find(|id| !stays(id)) {
        Some(id) => fail(YES_STAYS, format!("order {id} was completed and is {:?}", status(id))),
        None => Ok(()),
    }
}

/// Checks that no shopper is promised units that were claimed while the sale takes no reservations.
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

/// Checks the charges at any time: no charge is made or refunded twice, a completed order keeps one, an order that waits
/// for its payment keeps none, and no money moves for units that are gone.
fn charges(items: &Mirror, paid: &[Paid]) -> Outcome {
    for (id, order) in orders(items) {
        if is_captured(items, id) && !entries(items, "sold").any(|entry| entry.ulid == ulid(id)) {
            return fail(CAPTURED_IS_SOLD, format!("order {id} is {}, its money is captured", text(order, "status")));
        }
        let books = books(items, paid, id);
        if books.iter().any(|(charges, refunds)| *charges > 1 || refunds > charges) {
            return fail(MONEY_BACK, format!("the charges and refunds of order {id} are {books:?}"));
        }
        let kept: i64 = books.iter().map(|(charges, refunds)| charges - refunds).sum();
        match text(order, "status") {
            // The gateway has refunded it, and the order does not show it yet.
            "completed" if kept == 0 && refunds::is_pending(order) => {}
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

/// Checks, in a history whose only faults are declined payments, that every unpaid hold returns soon after its end. If nothing
/// else ends it, this fails at the write with which `reconcile` does.
fn returns(world: &World, items: &Mirror, now: Timestamp) -> Outcome {
    if !world.is_orderly() {
        return Ok(());
    }
    let before = now.checked_sub(RETURNS_WITHIN).unwrap().as_second();
    // A failed payment prolongs the hold in its reservation only. A payment has its own time limit.
    let is_late = |held: &Entry<'_>| {
        let mut all = items::reservations(items).map(|(_, item)| item);
        let ends_at = match all.find(|item| ulid(text(item, "reservation_id")) == held.ulid) {
            Some(item) if text(item, "status") != "HELD" => return false,
            Some(item) => number(item, "expires_at"),
            None => world.tables.ended_at(&items::id_of(held.ulid)).unwrap_or(0),
        };
        held.ends_at.max(ends_at) < before
    };
    match entries(items, "held").find(is_late) {
        Some(Entry { shopper, units, shard, ends_at, .. }) => {
            fail(RETURNS_SOON, format!("{shopper}'s {units} units of shard {shard} were held until {ends_at}, and still are"))
        }
        None => Ok(()),
    }
}
