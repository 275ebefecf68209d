//! `GET /inventory/{product_id}`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let read = |product| get("/inventory/{product_id}").of(product);
    vec![
        case("ok", read(DEMO), [answer(200, json!({"product_id": DEMO, "available_quantity": 100}))]),
        case("unknown-product", read(NO_SUCH_PRODUCT), [problem(404, "unknown-product")]),
        case("impossible-product-id", read(NOT_A_PRODUCT), [problem(404, "unknown-product")]),
    ]
}
