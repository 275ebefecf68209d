//! `POST /admin/flash-sales/{product_id}/end-holds`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let end = |product| post("/admin/flash-sales/{product_id}/end-holds").of(product);
    vec![
        case("ok", end("ended").by(OPERATOR), [answer(200, json!({"product_id": "ended", "ended": 0}))]),
        case(
            "held",
            end("sold-out").by(OPERATOR),
            [answer(200, json!({"product_id": "sold-out", "ended": 1})).given(Given::Closed)],
        ),
        case("not-over", end(DEMO).by(OPERATOR), [problem(409, "sale-not-over")]),
        case("unknown-product", end(NO_SUCH_PRODUCT).by(OPERATOR), [problem(404, "unknown-product")]),
        case("impossible-product-id", end(NOT_A_PRODUCT).by(OPERATOR), [problem(404, "unknown-product")]),
        case("not-an-operator", end("ended").by(FIRST), [problem(403, "forbidden")]),
        case("no-identity", end("ended"), [problem(401, "unauthenticated")]),
    ]
}
