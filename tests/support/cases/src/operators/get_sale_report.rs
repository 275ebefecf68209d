//! `GET /admin/flash-sales/{product_id}/report`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let read = |product| get("/admin/flash-sales/{product_id}/report").of(product);
    let untouched =
        json!({"product_id": DEMO, "units": 100, "available": 100, "held": 0, "sold": 0, "differences": {"units": 0}});
    let completed = json!({"sold": 1, "orders": {"complete": true, "by_status": {"completed": 1}}});
    vec![
        case("ok", read(DEMO).by(OPERATOR), [answer(200, untouched)]),
        case("completed", read(DEMO).by(OPERATOR), [answer(200, completed).given(Given::Completed)]),
        case("unknown-product", read(NO_SUCH_PRODUCT).by(OPERATOR), [problem(404, "unknown-product")]),
        case("impossible-product-id", read(NOT_A_PRODUCT).by(OPERATOR), [problem(404, "unknown-product")]),
        case("not-an-operator", read(DEMO).by(FIRST), [problem(403, "forbidden")]),
        case("no-identity", read(DEMO), [problem(401, "unauthenticated")]),
    ]
}
