//! The task `Charge`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let authorised = |gateway| output(json!({"outcome": "authorised", "gateway": gateway}));
    let charged = |gateway| output(json!({"outcome": "charged", "gateway": gateway}));
    let unavailable = || output(json!({"outcome": "unavailable"}));
    let not_pending = |given| error("OrderNotPending").given(given);
    vec![
        case(
            "ok",
            attempt(json!({})),
            [
                authorised(0).given(Given::Paying),
                authorised(0).given(Given::Authorised),
                charged(0).given(Given::Charged),
                output(json!({"outcome": "requires_action", "gateway": 0})).given(Given::ToAct),
                unavailable().given(Given::Unavailable),
                not_pending(Given::Completed),
                not_pending(Given::Refunding),
                not_pending(Given::Refunded),
            ],
        ),
        case("next-gateway", attempt(json!({"gateway": 1})), [authorised(1).given(Given::Unavailable)]),
        case("no-such-gateway", attempt(json!({"gateway": 9})), [unavailable().given(Given::Paying)]),
        case("unknown-order", attempt(json!({"order_id": OTHER_RESERVATION})), [not_pending(Given::Paying)]),
        malformed("wrong-type", json!({"attempt": "first"})),
        malformed("malformed", json!({"order_id": DEMO})),
        malformed("missing-shopper", json!({"shopper": null})),
    ]
}
