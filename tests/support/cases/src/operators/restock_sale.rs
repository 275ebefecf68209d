//! `POST /admin/flash-sales/{product_id}/restock`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let restock = |product| post("/admin/flash-sales/{product_id}/restock").of(product);
    let keyed = |product| restock(product).header("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324");
    let units = |product, units| keyed(product).by(OPERATOR).json(json!({"units": units}));
    let fifty = || json!({"units": 50});
    let restocked = || answer(200, json!({"product_id": DEMO, "units": 150, "available_quantity": 150}));
    vec![
        case("ok", units(DEMO, 50), [restocked(), restocked().twice()]),
        case(
            "sold-out",
            units("sold-out", 50),
            [answer(200, json!({"product_id": "sold-out", "state": "open", "units": 51, "available_quantity": 50}))],
        ),
        case("over", units("ended", 50), [problem(409, "sale-ended")]),
        case("unknown-product", units(NO_SUCH_PRODUCT, 50), [problem(404, "unknown-product")]),
        case("impossible-product-id", units(NOT_A_PRODUCT, 50), [problem(404, "unknown-product")]),
        case("no-key", restock(DEMO).by(OPERATOR).json(fifty()), [problem(400, "malformed-request")]),
        case("broken-json", keyed(DEMO).by(OPERATOR).text(r#"{"units": 50"#), [problem(400, "malformed-request")]),
        case(
            "card-number",
            keyed(DEMO).by(OPERATOR).json(json!({"units": 50, "note": CARD_NUMBER})),
            [problem_at(400, "card-data", "/note")],
        ),
        case("no-units", units(DEMO, 0), [problem_at(422, "invalid-request", "/units")]),
        case("too-many-units", units(DEMO, 400_000), [problem_at(422, "invalid-request", "/units")]),
        case("not-an-operator", keyed(DEMO).by(FIRST).json(fifty()), [problem(403, "forbidden")]),
        case("no-identity", keyed(DEMO).json(fifty()), [problem(401, "unauthenticated")]),
    ]
}
