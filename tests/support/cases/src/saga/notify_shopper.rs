//! The tasks that notify a shopper of the end of a payment.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let tell = |message: &str| json!({"order_id": RESERVATION, "shopper": FIRST.id, "attempt": 1, "message": message});
    let told = || output(json!({}));
    vec![
        case("ok", tell("order-completed"), [told(), told().given(Given::Completed)]),
        case("payment-failed", tell("payment-failed"), [told()]),
        case("order-failed", tell("order-failed"), [told()]),
        case("refund-failed", tell("refund-failed"), [told()]),
        case("order-refunded", tell("order-refunded"), [told()]),
        case("malformed", tell("hello"), [error("MalformedTask")]),
        case("missing-shopper", but(tell("order-completed"), json!({"shopper": null})), [error("MalformedTask")]),
    ]
}
