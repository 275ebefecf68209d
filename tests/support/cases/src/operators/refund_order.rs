//! `POST /admin/orders/{order_id}/refund`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let refund = |order| post("/admin/orders/{order_id}/refund").of(order);
    let keyed = |order| refund(order).header("Idempotency-Key", "0b5f2f0a-6f0e-4a52-9d0c-3c1f5b7a9e21");
    let asks = |order, body| keyed(order).by(OPERATOR).json(body);
    let part = |amount_minor| json!({"amount": {"amount_minor": amount_minor, "currency": "USD"}});
    let refunded = || answer(200, json!({"order_id": RESERVATION, "user_id": FIRST.id, "order_status": "refunded"}));
    let completed = || answer(200, json!({"order_id": RESERVATION, "order_status": "completed"}));
    let malformed = || problem(400, "malformed-request");
    vec![
        case(
            "ok",
            asks(RESERVATION, json!({})),
            [refunded().given(Given::Completed), problem(409, "not-refundable").given(Given::Paying)],
        ),
        case("part", asks(RESERVATION, part(10_000)), [completed().given(Given::Completed)]),
        case("return-unit", asks(RESERVATION, json!({"return_unit": true})), [refunded().given(Given::Completed)]),
        case("too-large", asks(RESERVATION, part(99_901)), [problem(409, "refund-too-large").given(Given::Completed)]),
        case(
            "part-with-unit",
            asks(RESERVATION, json!({"amount": {"amount_minor": 1, "currency": "USD"}, "return_unit": true})),
            [problem_at(422, "invalid-request", "/return_unit").given(Given::Completed)],
        ),
        case("unknown-order", asks(OTHER_RESERVATION, json!({})), [problem(404, "unknown-order")]),
        case("impossible-order-id", asks(DEMO, json!({})), [problem(404, "unknown-order")]),
        case("no-key", refund(RESERVATION).by(OPERATOR).json(json!({})), [malformed()]),
        case("broken-json", keyed(RESERVATION).by(OPERATOR).text(r#"{"amount": 5"#), [malformed()]),
        case(
            "card-number",
            keyed(RESERVATION).by(OPERATOR).json(json!({"note": CARD_NUMBER})),
            [problem_at(400, "card-data", "/note")],
        ),
        case("not-an-operator", keyed(RESERVATION).by(FIRST).json(json!({})), [problem(403, "forbidden")]),
        case("no-identity", keyed(RESERVATION).json(json!({})), [problem(401, "unauthenticated")]),
    ]
}
