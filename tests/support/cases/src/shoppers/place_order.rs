//! `POST /api/flash-sales/{product_id}/order`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let order = |product| post("/api/flash-sales/{product_id}/order").of(product);
    let good = || json!({"quantity": 1, "payment_method": "sandbox:ok", "shipping_address": address()});
    let ask = |change| order(DEMO).by(FIRST).json(but(good(), change));
    let pending = || answer(202, json!({"order_status": "pending"}));
    let pending_of_hold = || answer(202, json!({"order_id": RESERVATION, "order_status": "pending"}));
    let awaiting = || answer(202, json!({"order_status": "awaiting_payment"}));
    vec![
        case(
            "ok",
            ask(json!({})),
            [
                pending(),
                pending_of_hold().given(Given::Held).reservation(ReservationStatus::Paying),
                pending_of_hold().given(Given::Waiting).reservation(ReservationStatus::Paying),
                pending_of_hold().given(Given::Paying),
                pending_of_hold().given(Given::ToAct),
                pending().given(Given::Overdue),
                problem(409, "already-purchased").given(Given::Completed),
                pending().twice(),
            ],
        ),
        case(
            "no-body",
            order(DEMO).by(FIRST),
            [
                awaiting(),
                answer(202, json!({"order_id": RESERVATION, "order_status": "awaiting_payment"}))
                    .given(Given::Held)
                    .reservation(ReservationStatus::Held),
            ],
        ),
        case(
            "address-only",
            order(DEMO).by(FIRST).json(json!({"shipping_address": but(address(), json!({"city": "Shelbyville"}))})),
            [
                awaiting(),
                answer(202, json!({"order_id": RESERVATION, "order_status": "awaiting_payment"})).given(Given::GivenUp),
                problem(409, "address-fixed").given(Given::Paying),
            ],
        ),
        case("empty-object", order(DEMO).by(FIRST).json(json!({})), [awaiting()]),
        case("broken-json", order(DEMO).by(FIRST).text(r#"{"quantity": 1,"#), [problem(400, "malformed-request")]),
        case("wrong-type", ask(json!({"quantity": [1]})), [problem_at(400, "malformed-request", "/quantity")]),
        case(
            "unknown-payment-method",
            ask(json!({"payment_method": "cash"})),
            [problem_at(422, "invalid-request", "/payment_method")],
        ),
        case("card-number", ask(json!({"payment_method": CARD_NUMBER})), [problem_at(400, "card-data", "/payment_method")]),
        case("quantity-not-allowed", ask(json!({"quantity": 10})), [problem(422, "quantity-not-allowed")]),
        case("no-proof-of-work", order(GUARDED).by(FIRST).json(good()), [problem(428, "proof-of-work-required")]),
        case(
            "forged-proof-of-work",
            order(GUARDED).by(FIRST).json(good()).header("Proof-Of-Work", &forged_work()),
            [answer(422, json!({"code": "proof-of-work-invalid", "reason": "forged"}))],
        ),
        case("unknown-product", order(NO_SUCH_PRODUCT).by(FIRST).json(good()), [problem(404, "unknown-product")]),
        case(
            "sold-out",
            order("sold-out").by(FIRST).json(good()),
            [problem(409, "sold-out"), problem(409, "sold-out").given(Given::Stale)],
        ),
        case("no-identity", order(DEMO).json(good()), [problem(401, "unauthenticated")]),
    ]
}
