//! `GET /orders/{order_id}` and `GET /orders`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let read = |id| get("/orders/{order_id}").of(id);
    let list = || get("/orders");
    let paying = |name, request, answer: Expected| case(name, request, [answer.given(Given::Paying)]);
    let price = json!({"amount_minor": 99900, "currency": "USD"});
    let reference = format!("sandbox_{RESERVATION}-1");
    let completed = json!({"order_status": "completed", "payment_status": "completed", "transaction_id": reference});
    vec![
        case(
            "ok",
            read(RESERVATION).by(FIRST),
            [
                answer(200, json!({"order_id": RESERVATION, "order_status": "pending", "price": price})).given(Given::Paying),
                answer(200, json!({"order_status": "awaiting_payment", "payment_status": "none"})).given(Given::Waiting),
                answer(200, json!({"order_status": "expired"})).given(Given::Waited),
                answer(200, completed).given(Given::Completed),
                problem(404, "unknown-order"),
            ],
        ),
        paying("unknown-order", read(OTHER_RESERVATION).by(FIRST), problem(404, "unknown-order")),
        paying("impossible-order-id", read(DEMO).by(FIRST), problem(404, "unknown-order")),
        paying("somebody-elses", read(RESERVATION).by(SECOND), problem(404, "unknown-order")),
        paying("no-identity", read(RESERVATION), problem(401, "unauthenticated")),
        paying("list", list().by(FIRST), answer(200, json!({"orders": [{"order_id": RESERVATION}]}))),
        paying("list-of-nobody", list().by(SECOND), answer(200, json!({"orders": []}))),
        paying("list-impossible-next", list().query("next", "no-page-begins-here").by(FIRST), problem(400, "malformed-request")),
        paying("list-no-identity", list(), problem(401, "unauthenticated")),
    ]
}
