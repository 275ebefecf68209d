//! The task `AwaitAction`.

use super::{attempt, malformed};
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let taken = |given| error("ActionTaken").given(given);
    let not_pending = |given| error("OrderNotPending").given(given);
    vec![
        case(
            "ok",
            attempt(json!({"task_token": "token"})),
            [
                output(json!({})).given(Given::ToAct),
                taken(Given::Authorised),
                taken(Given::Declined),
                taken(Given::Refunding),
                not_pending(Given::Paying),
                not_pending(Given::Completed),
                not_pending(Given::GivenUp),
            ],
        ),
        case(
            "unknown-order",
            attempt(json!({"order_id": OTHER_RESERVATION, "task_token": "token"})),
            [not_pending(Given::ToAct)],
        ),
        malformed("no-token", json!({})),
        malformed("malformed", json!({"order_id": DEMO, "task_token": "token"})),
    ]
}
