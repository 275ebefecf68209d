//! `POST /payment`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let pay = || post("/payment");
    let good = || json!({"order_id": RESERVATION, "payment_method": "sandbox:ok", "amount": "999.00"});
    let ask = |change| pay().by(FIRST).json(but(good(), change));
    // A text, because a program that writes JSON would shorten the number.
    let number = |amount| format!(r#"{{"order_id": "{RESERVATION}", "payment_method": "sandbox:ok", "amount": {amount}}}"#);
    let waiting = |name, request, answer: Expected| case(name, request, [answer.given(Given::Waiting)]);
    let pending = || answer(202, json!({"success": true, "payment_status": "pending"}));
    vec![
        case(
            "ok",
            ask(json!({})),
            [
                pending().given(Given::Waiting),
                problem(409, "payment-in-progress").given(Given::Paying),
                problem(409, "requires-action").given(Given::ToAct),
                problem(409, "already-paid").given(Given::Completed),
                problem(410, "reservation-expired").given(Given::Waited),
            ],
        ),
        waiting("amount-as-number", pay().by(FIRST).text(&number("999.00")), pending()),
        waiting("prefer-wait", ask(json!({})).header("Prefer", "wait=1"), pending()),
        waiting("amount-mismatch", ask(json!({"amount": "998.99"})), problem(422, "amount-mismatch")),
        waiting("amount-too-precise", pay().by(FIRST).text(&number("999.001")), problem(422, "amount-mismatch")),
        waiting("impossible-amount", ask(json!({"amount": "nine hundred"})), problem_at(400, "malformed-request", "/amount")),
        waiting("broken-json", pay().by(FIRST).text(r#"{"order_id":"#), problem(400, "malformed-request")),
        waiting("wrong-type", ask(json!({"order_id": 42})), problem_at(400, "malformed-request", "/order_id")),
        waiting(
            "unknown-payment-method",
            ask(json!({"payment_method": "cash"})),
            problem_at(422, "invalid-request", "/payment_method"),
        ),
        waiting("card-number", ask(json!({"payment_method": CARD_NUMBER})), problem_at(400, "card-data", "/payment_method")),
        waiting("unknown-order", ask(json!({"order_id": OTHER_RESERVATION})), problem(404, "unknown-order")),
        waiting("somebody-elses", pay().by(SECOND).json(good()), problem(404, "unknown-order")),
        waiting("no-identity", pay().json(good()), problem(401, "unauthenticated")),
    ]
}
