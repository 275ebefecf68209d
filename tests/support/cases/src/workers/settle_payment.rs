//! Messages of the payment events queue.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let returned =
        |change| but(json!({"event": "shopper_returned", "order_id": RESERVATION, "shopper": FIRST.id, "attempt": 1}), change);
    let told = |object: &str| json!({"event": "provider_told", "account": "sandbox", "event_id": "evt_1", "kind": "payment", "object_id": object});
    let events = |name, bodies: Vec<Value>, expected: Expected| {
        let queue = "PaymentEventsQueue";
        case(
            name,
            Event::Queue { queue, bodies },
            [Given::Paying, Given::ToAct, Given::Completed].map(|given| expected.clone().given(given)),
        )
    };
    let cut_off = json!(format!(r#"{{"event": "shopper_returned", "order_id": "{RESERVATION}""#));
    vec![
        events("ok", vec![returned(json!({}))], done()),
        events("delivered-twice", vec![returned(json!({})), returned(json!({}))], done()),
        events("unknown-order", vec![returned(json!({"order_id": OTHER_RESERVATION}))], done()),
        events("provider", vec![told("pi_1")], done()),
        events("unknown-account", vec![but(told("pi_1"), json!({"account": "stripe-gone"}))], done()),
        events(
            "malformed-body",
            vec![returned(json!({})), cut_off, but(told("pi_1"), json!({"event": "other"}))],
            failed([1, 2]),
        ),
    ]
}
