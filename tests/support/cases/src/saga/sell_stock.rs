//! The task `SellStock`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let sold = || output(json!({"quantity": 1})).units(24, 0, 1);
    let lost = || error("HoldLost").given(Given::Charged).units(24, 1, 0);
    vec![
        case(
            "ok",
            attempt(json!({})),
            [sold().given(Given::Charged), sold().given(Given::Sold), error("HoldLost").units(25, 0, 0)],
        ),
        case("unknown-order", attempt(json!({"order_id": OTHER_RESERVATION})), [lost()]),
        case("somebody-elses", attempt(json!({"shopper": SECOND.id})), [lost()]),
        malformed("malformed", json!({"order_id": DEMO})),
        malformed("missing-shopper", json!({"shopper": null})),
    ]
}
