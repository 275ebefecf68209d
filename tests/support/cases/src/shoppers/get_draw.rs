//! `GET /api/flash-sales/{product_id}/draw`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let read = |product| get("/api/flash-sales/{product_id}/draw").of(product);
    vec![
        case("ok", read(DRAW), [answer(200, json!({"ramp_seconds": 3_600}))]),
        case("no-draw", read(DEMO), [problem(404, "no-draw")]),
        case("unknown-product", read(NO_SUCH_PRODUCT), [problem(404, "unknown-product")]),
        case("impossible-product-id", read(NOT_A_PRODUCT), [problem(404, "unknown-product")]),
    ]
}
