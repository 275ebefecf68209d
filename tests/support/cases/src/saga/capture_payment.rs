//! The task `CapturePayment`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let captured = |given| output(json!({"provider_reference": format!("sandbox_{RESERVATION}-1")})).given(given);
    let not_pending = |given| error("OrderNotPending").given(given);
    vec![
        case(
            "ok",
            attempt(json!({})),
            [
                captured(Given::Uncaptured),
                captured(Given::Sold),
                captured(Given::Completed),
                not_pending(Given::Paying),
                not_pending(Given::Refunding),
                not_pending(Given::Refunded),
            ],
        ),
        case("unknown-order", attempt(json!({"order_id": OTHER_RESERVATION})), [not_pending(Given::Uncaptured)]),
        malformed("wrong-type", json!({"attempt": "first"})),
        malformed("malformed", json!({"order_id": DEMO})),
        malformed("missing-shopper", json!({"shopper": null})),
    ]
}
