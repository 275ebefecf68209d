//! Messages of the orders queue.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let payment = |change| but(json!({"order_id": RESERVATION, "shopper": FIRST.id, "attempt": 1}), change);
    let good = || payment(json!({}));
    let orders = |name, bodies: Vec<Value>, expected: Expected| {
        case(name, Event::Queue { queue: "OrdersQueue", bodies }, [expected.given(Given::Paying)])
    };
    let cut_off = json!(format!(r#"{{"order_id": "{RESERVATION}", "shopper""#));
    vec![
        orders("ok", vec![good()], done()),
        orders("delivered-twice", vec![good(), good()], done()),
        orders("unknown-order", vec![payment(json!({"order_id": OTHER_RESERVATION})), good()], done()),
        orders("malformed-body", vec![good(), cut_off, payment(json!({"attempt": "first"})), good()], failed([1, 2])),
    ]
}
