//! `POST /reserve-inventory` and `POST /add-to-cart`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let reserve = || post("/reserve-inventory");
    let ask = |body| reserve().by(FIRST).json(body);
    let units = |quantity| ask(json!({"product_id": DEMO, "quantity": quantity}));
    let one_of = |product| ask(json!({"product_id": product, "quantity": 1}));
    let one = || json!({"product_id": DEMO, "quantity": 1});
    let reserved = |status, quantity| answer(status, json!({"success": true, "product_id": DEMO, "quantity": quantity}));
    let before = || answer(200, json!({"reservation_id": RESERVATION}));
    let malformed = |pointer| problem_at(400, "malformed-request", pointer);
    vec![
        case(
            "ok",
            ask(json!({"product_id": DEMO, "quantity": 1, "user_id": FIRST.id})),
            [
                reserved(201, 1),
                before().given(Given::Held),
                reserved(201, 1).given(Given::Overdue),
                before().given(Given::Paying),
                problem(409, "already-purchased").given(Given::Completed),
                reserved(200, 1).twice(),
            ],
        ),
        case(
            "add-to-cart",
            post("/add-to-cart").by(FIRST).json(one()),
            [reserved(201, 1), answer(200, json!({"reservation_id": RESERVATION, "cart_id": RESERVATION})).given(Given::Held)],
        ),
        case("add-to-cart-no-identity", post("/add-to-cart").json(one()), [problem(401, "unauthenticated")]),
        case("same-product-parameter", ask(one()).query("product_id", DEMO), [reserved(201, 1)]),
        case("other-product-parameter", ask(one()).query("product_id", "sold-out"), [malformed("")]),
        case("two-units", units(json!(2)), [reserved(201, 2)]),
        case("quantity-left-out", ask(json!({"product_id": DEMO})), [reserved(201, 1)]),
        case("base64-body", reserve().by(FIRST).base64(one()), [reserved(201, 1)]),
        case("header-identity", reserve().json(one()).header("X-User-ID", FIRST.id), [reserved(201, 1).trusting_header()]),
        case(
            "broken-json",
            reserve().by(FIRST).text(r#"{"product_id": "demo", "quantity": "#),
            [problem(400, "malformed-request")],
        ),
        case("wrong-type", units(json!("two")), [malformed("/quantity")]),
        case("missing-product", ask(json!({"quantity": 1})), [malformed("/product_id")]),
        case("impossible-product-id", one_of(NOT_A_PRODUCT), [malformed("/product_id")]),
        case("no-body", reserve().by(FIRST), [problem(400, "malformed-request")]),
        case("quantity-zero", units(json!(0)), [malformed("/quantity")]),
        case(
            "quantity-not-allowed",
            units(json!(10)),
            [answer(422, json!({"code": "quantity-not-allowed", "max_per_shopper": 2}))],
        ),
        case(
            "not-json",
            reserve().by(FIRST).body("application/x-www-form-urlencoded", "product_id=demo&quantity=1"),
            [problem(415, "unsupported-media-type")],
        ),
        case("too-large", ask(but(one(), json!({"note": "x".repeat(16 * 1024)}))), [problem(413, "body-too-large")]),
        case(
            "card-number",
            ask(but(one(), json!({"card": {"number": CARD_NUMBER}}))),
            [problem_at(400, "card-data", "/card/number")],
        ),
        case("no-identity", reserve().json(one()), [problem(401, "unauthenticated")]),
        case("other-user-id", ask(but(one(), json!({"user_id": SECOND.id}))), [problem(403, "forbidden")]),
        case("unknown-product", one_of(NO_SUCH_PRODUCT), [problem(404, "unknown-product")]),
        case("not-admitted", one_of(DRAW), [problem(409, "not-yet-admitted")]),
        case("no-proof-of-work", one_of(GUARDED), [problem(428, "proof-of-work-required")]),
        case(
            "forged-proof-of-work",
            one_of(GUARDED).header("Proof-Of-Work", &forged_work()),
            [answer(422, json!({"code": "proof-of-work-invalid", "reason": "forged"}))],
        ),
        case("not-started", one_of("not-started"), [problem(409, "sale-not-started")]),
        case("ended", one_of("ended"), [problem(410, "sale-ended")]),
        case(
            "sold-out",
            one_of("sold-out"),
            [answer(409, json!({"code": "sold-out", "available_quantity": 0})), problem(409, "sold-out").given(Given::Stale)],
        ),
    ]
}
