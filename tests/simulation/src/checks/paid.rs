//! The checks of the payment providers' own books, whatever the items say.

use std::collections::BTreeMap;

use domain::{Accounts, ReservationId};

use super::{
    invariants::{
        CAPTURED_IS_SOLD, CAPTURED_OR_VOID, LATE_MONEY, MONEY_BACK, NONE_OPEN, ONE_PAYMENT, OWN_ACCOUNT, Outcome, fail,
    },
    items::{attempts, entries, orders, ulid},
};
use crate::services::{
    providers::{ACCOUNTS, Paid},
    tables::{Mirror, text},
};

/// Payments that an attempt opens at Stripe at most. Stripe repeats an answer 500 under its idempotency key, so the gateway
/// tries one more key. Only one of the two can be confirmed.
const MOST_INTENTS: u32 = 2;

/// Checks the books at any time: the money of each payment is sold for, is never more than the order's, and is at the account
/// that the order's id chooses.
pub(super) fn always(items: &Mirror, paid: &[Paid]) -> Outcome {
    let mut opened: BTreeMap<(&str, u32), u32> = BTreeMap::new();
    for payment in paid {
        let Paid { account, id, order, amount, captured, refunded, .. } = payment;
        if !is_chosen(order, account) {
            return fail(OWN_ACCOUNT, format!("{id} of order {order} is at {account}"));
        }
        let times = opened.entry((order, payment.attempt)).or_default();
        *times += 1;
        if *times > if *account == "paypal" { 1 } else { MOST_INTENTS } {
            return fail(ONE_PAYMENT, format!("{id} is payment {times} of attempt {} of order {order}", payment.attempt));
        }
        if captured > amount || refunded > captured {
            return fail(MONEY_BACK, format!("{payment:?}"));
        }
        if captured > refunded && !entries(items, "sold").any(|entry| entry.ulid == ulid(order)) {
            return fail(CAPTURED_IS_SOLD, format!("{payment:?}"));
        }
    }
    Ok(())
}

/// Checks what was decided about late money: each payment has one decision, which its order tells once, and ends as decided.
pub(super) fn late_money(items: &Mirror, paid: &[Paid]) -> Outcome {
    for (id, order) in orders(items) {
        let lines = |event: &str| {
            let lines = order["history"]["L"].as_array().into_iter().flatten();
            lines.filter(|line| text(&line["M"], "event") == event).count()
        };
        let (mut went_back, mut bought) = (0, 0);
        for attempt in attempts(items, id) {
            let (goes_back, pays_by) = (attempt["goes_back"]["BOOL"] == true, attempt["pays_by"]["N"].is_string());
            went_back += usize::from(goes_back);
            bought += usize::from(pays_by);
            let payment = paid.iter().find(|payment| payment.id == text(attempt, "provider_id"));
            let is_kept = payment.is_some_and(|payment| payment.captured > payment.refunded);
            let is_wrong = (goes_back && (pays_by || is_kept)) || (pays_by && is_kept != (text(order, "status") == "completed"));
            if is_wrong {
                return fail(LATE_MONEY, format!("{payment:?} of {attempt}, of order {id}, which is {}", text(order, "status")));
            }
        }
        if (went_back, bought) != (lines("late_money_returned"), lines("paid_late")) {
            return fail(LATE_MONEY, format!("the history of order {id} does not say what was decided: {order}"));
        }
    }
    Ok(())
}

/// Checks the books in the end: no money stays reserved, and no shopper can reserve any.
pub(super) fn finally(paid: &[Paid]) -> Outcome {
    match paid.iter().find(|payment| payment.authorised > 0 || payment.is_open) {
        Some(payment) if payment.is_open => fail(NONE_OPEN, format!("{payment:?}")),
        Some(payment) => fail(CAPTURED_OR_VOID, format!("{payment:?}")),
        None => Ok(()),
    }
}

fn is_chosen(order: &str, account: &str) -> bool {
    let entries: Vec<String> = ACCOUNTS.split(',').map(str::to_owned).collect();
    let id: ReservationId = order.parse().unwrap();
    Accounts::read(&entries).unwrap().choose(&id).iter().any(|name| name.0 == account)
}
