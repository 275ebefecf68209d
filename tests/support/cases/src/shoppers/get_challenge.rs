//! `GET /api/flash-sales/{product_id}/challenge`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let ask = |product| get("/api/flash-sales/{product_id}/challenge").of(product);
    vec![
        case("ok", ask(GUARDED).by(FIRST), [answer(200, json!({})).twice()]),
        case("no-proof-of-work", ask(DEMO).by(FIRST), [problem(404, "no-proof-of-work")]),
        case("unknown-product", ask(NO_SUCH_PRODUCT).by(FIRST), [problem(404, "unknown-product")]),
        case("impossible-product-id", ask(NOT_A_PRODUCT).by(FIRST), [problem(404, "unknown-product")]),
        case("no-identity", ask(GUARDED), [problem(401, "unauthenticated")]),
    ]
}
