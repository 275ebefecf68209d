//! The tasks that end an order or hand its hold back.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let ending = |ending: &str, reason: &str| attempt(json!({"ending": ending, "reason": reason}));
    let becomes = |status: &str, given| output(json!({"order_status": status})).given(given);
    let awaits = |given| becomes("awaiting_payment", given);
    let not_pending = |given| error("OrderNotPending").given(given);
    let unconfirmed = |given| error("RefundUnconfirmed").given(given);
    vec![
        case(
            "ok",
            ending("payment_failed", "card-declined"),
            [
                awaits(Given::Declined),
                awaits(Given::Unavailable),
                awaits(Given::GivenUp),
                not_pending(Given::Paying),
                not_pending(Given::Completed),
            ],
        ),
        case(
            "gateways-unavailable",
            ending("payment_failed", "No payment gateway is available right now."),
            [awaits(Given::Unavailable)],
        ),
        case("no-reason", attempt(json!({"ending": "payment_failed"})), [awaits(Given::Declined)]),
        case(
            "refunded",
            ending("refunded", "HoldLost"),
            [
                becomes("refunded", Given::Refunded),
                becomes("failed", Given::Unavailable),
                unconfirmed(Given::Charged),
                unconfirmed(Given::Refunding),
                not_pending(Given::GivenUp),
                becomes("refunded", Given::RefundedLater).no_reservation(),
            ],
        ),
        case("refund-pending", ending("refund_pending", "RefundUnconfirmed"), [becomes("failed", Given::Charged)]),
        case(
            "unknown-order",
            attempt(json!({"order_id": OTHER_RESERVATION, "ending": "payment_failed"})),
            [not_pending(Given::Paying)],
        ),
        malformed("malformed", json!({"ending": "somehow"})),
        malformed("missing-shopper", json!({"shopper": null, "ending": "payment_failed"})),
    ]
}
