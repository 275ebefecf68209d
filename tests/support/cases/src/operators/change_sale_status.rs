//! `POST /admin/flash-sales/{product_id}/pause`, `…/resume` and `…/close`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let pause_by = |product, caller| post("/admin/flash-sales/{product_id}/pause").of(product).by(caller);
    let pause = |product| pause_by(product, OPERATOR);
    let resume = || post("/admin/flash-sales/{product_id}/resume").of(DEMO);
    let close = |product| post("/admin/flash-sales/{product_id}/close").of(product);
    let becomes = |product, state| answer(200, json!({"product_id": product, "state": state}));
    vec![
        case("ok", pause(DEMO), [becomes(DEMO, "paused")]),
        case("resume", resume().by(OPERATOR), [becomes(DEMO, "open")]),
        case("close", close(DEMO).by(OPERATOR), [becomes(DEMO, "ended")]),
        case("over", pause("ended"), [problem(409, "sale-ended")]),
        case("close-over", close("ended").by(OPERATOR), [becomes("ended", "ended")]),
        case("unknown-product", pause(NO_SUCH_PRODUCT), [problem(404, "unknown-product")]),
        case("impossible-product-id", close(NOT_A_PRODUCT).by(OPERATOR), [problem(404, "unknown-product")]),
        case("not-an-operator", close(DEMO).by(FIRST), [problem(403, "forbidden")]),
        case("no-identity", close(DEMO), [problem(401, "unauthenticated")]),
        case("pause-not-an-operator", pause_by(DEMO, FIRST), [problem(403, "forbidden")]),
        case("pause-no-identity", post("/admin/flash-sales/{product_id}/pause").of(DEMO), [problem(401, "unauthenticated")]),
        case("resume-not-an-operator", resume().by(FIRST), [problem(403, "forbidden")]),
        case("resume-no-identity", resume(), [problem(401, "unauthenticated")]),
    ]
}
