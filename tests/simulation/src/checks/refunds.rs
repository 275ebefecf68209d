//! The checks of operators' refunds: what the orders say, what operators asked for and were told, and what the books of the
//! sandbox and of the providers say went back.

use serde_json::Value;

use super::{
    invariants::{
        LISTED, Outcome, REFUND_ANSWERS, REFUND_AS_ASKED, REFUND_BOOKS, REFUND_ENDS, REFUND_WITHIN_PRICE, UNITS_RETURN, fail,
    },
    items::{entries, given_back, orders, ulid},
};
use crate::{
    actors::refunder::{Asked, Requested, Told},
    services::{
        providers::Paid,
        tables::{Mirror, number, text},
    },
    world::World,
};

/// The refunds of an order.
pub(super) fn of(order: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    order["refunds"]["L"].as_array().into_iter().flatten().map(|refund| &refund["M"])
}

fn sum(order: &Value, status: &str) -> i64 {
    of(order).filter(|refund| text(refund, "status") == status).map(|refund| number(refund, "amount_minor")).sum()
}

fn returns(refund: &Value) -> bool {
    refund["return_unit"]["BOOL"] == true && text(refund, "status") != "failed"
}

/// Whether a refund of the order is pending.
pub(super) fn is_pending(order: &Value) -> bool {
    of(order).any(|refund| text(refund, "status") == "pending")
}

/// Whether a pending refund may be about to take the order's units back.
pub(super) fn is_returning(items: &Mirror, id: &str) -> bool {
    orders(items).any(|(order, item)| order == id && is_pending(item) && of(item).any(returns))
}

/// How many refunds of the order are confirmed.
pub(crate) fn confirmed(items: &Mirror, id: &str) -> usize {
    let item = orders(items).find(|(order, _)| *order == id).map(|(_, item)| item);
    item.into_iter().flat_map(of).filter(|refund| text(refund, "status") == "refunded").count()
}

/// Checks the refunds of all orders at any time.
pub(super) fn always(world: &World, items: &Mirror, paid: &[Paid]) -> Outcome {
    let requested = &world.operated.lock().unwrap().refunds;
    for (id, order) in orders(items) {
        let is_unsettled = is_pending(order) || text(order, "untold") == "order-refunded";
        if is_unsettled != (text(order, "unsettled") == "refund_due") {
            return fail(LISTED, format!("order {id} is in the index as {:?}: {}", text(order, "unsettled"), order["refunds"]));
        }
        if of(order).next().is_none() {
            continue;
        }
        let (price, back) = (number(order, "amount_minor"), given_back(items, paid, id, number(order, "attempt")));
        let (pending, refunded) = (sum(order, "pending"), sum(order, "refunded"));
        if pending + refunded > price {
            return fail(REFUND_WITHIN_PRICE, format!("order {id} costs {price}: {refunded} refunded, {pending} pending"));
        }
        if back < refunded || back > refunded + pending {
            let detail = format!("order {id}: {refunded} refunded, {pending} pending, and {back} went back");
            return fail(REFUND_BOOKS, detail);
        }
        as_asked(requested, id, order)?;
        ends_when_whole(items, id, order, refunded == price, back == price)?;
    }
    Ok(())
}

fn as_asked(requested: &Requested, id: &str, order: &Value) -> Outcome {
    for refund in of(order) {
        let key = (id.to_owned(), text(refund, "key").to_owned());
        let is_as_asked = |asked: &Asked| {
            let amount = number(refund, "amount_minor");
            asked.amount_minor.is_none_or(|asked| asked == amount) && asked.return_unit == (refund["return_unit"]["BOOL"] == true)
        };
        match requested.get(&key) {
            Some(asked) if !is_as_asked(asked) => {
                return fail(REFUND_AS_ASKED, format!("order {id} has {refund}, and an operator asked for {asked:?}"));
            }
            None => return fail(REFUND_AS_ASKED, format!("order {id} has {refund}, for which no operator asked")),
            Some(Asked { told: Told::Done, .. }) if text(refund, "status") != "refunded" => {
                return fail(REFUND_ANSWERS, format!("an operator was told that this refund of order {id} is done: {refund}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Checks that a part leaves the order completed and its units sold, that the last part ends it, and that units return only with
/// the whole price, and only if a refund asked for it.
fn ends_when_whole(items: &Mirror, id: &str, order: &Value, is_whole: bool, is_all_back: bool) -> Outcome {
    let is_to_return = of(order).any(returns);
    let expected = match (is_whole, is_to_return) {
        (false, _) => ("completed", "confirmed"),
        (true, false) => ("refunded", "confirmed"),
        (true, true) => ("refunded", "released"),
    };
    let found = (text(order, "status"), text(order, "inventory_status"));
    let is_sold = entries(items, "sold").any(|entry| entry.ulid == ulid(id));
    // The units are taken back between the answer of the gateway and the end of the refund.
    let may_be_back = is_all_back && is_to_return;
    let has_right_units = if found.1 == "released" { !is_sold } else { is_sold || may_be_back };
    if found == expected && has_right_units {
        return Ok(());
    }
    fail(UNITS_RETURN, format!("order {id} is {found:?}, sold {is_sold}, and its refunds are {}", order["refunds"]))
}

/// Checks that every refund has ended as its operator was told.
pub(super) fn finally(world: &World, items: &Mirror) -> Outcome {
    if let Some((id, order)) = orders(items).find(|(_, order)| is_pending(order)) {
        return fail(REFUND_ENDS, format!("a refund of order {id} is pending: {}", order["refunds"]));
    }
    for ((id, key), asked) in &world.operated.lock().unwrap().refunds {
        let order = orders(items).find(|(order, _)| order == id).map(|(_, order)| order);
        let found = order.into_iter().flat_map(of).find(|refund| text(refund, "key") == key);
        let status = found.map(|refund| text(refund, "status"));
        let is_right = match asked.told {
            // A request that was not allowed may have been repeated after a refusal had given its amount free.
            Told::Nothing | Told::NotAllowed => true,
            Told::Accepted => status.is_some(),
            Told::Done => status == Some("refunded"),
            Told::Refused => status == Some("failed"),
        };
        if !is_right {
            return fail(REFUND_ANSWERS, format!("{key} of order {id} was answered by {:?}, and is {status:?}", asked.told));
        }
    }
    Ok(())
}
