//! The task `CompleteOrder`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let completed = |given| output(json!({"transaction_id": format!("sandbox_{RESERVATION}-1")})).given(given);
    let not_pending = |given| error("OrderNotPending").given(given);
    vec![
        case(
            "ok",
            attempt(json!({})),
            [
                completed(Given::Sold),
                completed(Given::Completed),
                not_pending(Given::Paying),
                not_pending(Given::Uncaptured),
                not_pending(Given::Refunding),
                error("ChargeMismatch").given(Given::Mischarged),
            ],
        ),
        case("unknown-order", attempt(json!({"order_id": OTHER_RESERVATION})), [not_pending(Given::Sold)]),
        malformed("wrong-type", json!({"attempt": "first"})),
        malformed("malformed", json!({"order_id": DEMO})),
        malformed("missing-shopper", json!({"shopper": null})),
    ]
}
