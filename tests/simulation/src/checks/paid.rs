//! The checks of the payment providers' own books, whatever the items say.

use std::collections::BTreeMap;

use domain::{Accounts, ReservationId};

use super::{
    invariants::{CAPTURED_IS_SOLD, CAPTURED_OR_VOID, MONEY_BACK, NONE_OPEN, ONE_PAYMENT, OWN_ACCOUNT, Outcome, fail},
    items::{entries, ulid},
};
use crate::services::{
    providers::{ACCOUNTS, Paid},
    tables::Mirror,
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
