//! The tasks `TakeBackStock` and `ReleaseStock`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let moved = |moved: bool| output(json!({"moved": moved}));
    vec![
        case(
            "ok",
            attempt(json!({})),
            [
                moved(true).given(Given::Sold).units(25, 0, 0),
                moved(true).given(Given::Charged).units(25, 0, 0),
                moved(false).units(25, 0, 0),
                error("OrderNotPending").given(Given::Completed).units(24, 0, 1),
            ],
        ),
        case("unknown-order", attempt(json!({"order_id": OTHER_RESERVATION})), [moved(false).given(Given::Sold).units(24, 0, 1)]),
        case("somebody-elses", attempt(json!({"shopper": SECOND.id})), [moved(false).given(Given::Sold).units(24, 0, 1)]),
        malformed("malformed", json!({"order_id": DEMO})),
        malformed("missing-shopper", json!({"shopper": null})),
    ]
}
