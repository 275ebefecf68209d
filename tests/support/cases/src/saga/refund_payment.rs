//! The task `Refund`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let refunded = |refunded: bool, given| output(json!({"refunded": refunded})).given(given);
    let not_pending = |given| error("OrderNotPending").given(given);
    vec![
        case(
            "ok",
            attempt(json!({})),
            [
                refunded(true, Given::Charged),
                refunded(true, Given::Refunding),
                refunded(true, Given::Refunded),
                refunded(false, Given::Paying),
                refunded(false, Given::Authorised),
                refunded(false, Given::Uncaptured),
                refunded(false, Given::Unavailable),
                refunded(false, Given::Declined),
                not_pending(Given::Completed),
                not_pending(Given::GivenUp),
            ],
        ),
        case("unknown-order", attempt(json!({"order_id": OTHER_RESERVATION})), [not_pending(Given::Charged)]),
        malformed("wrong-type", json!({"attempt": "first"})),
        malformed("malformed", json!({"order_id": DEMO})),
        malformed("missing-shopper", json!({"shopper": null})),
    ]
}
