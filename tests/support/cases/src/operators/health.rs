//! `GET /health` and `GET /admin/health`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let well = || answer(200, json!({"status": "ok"}));
    let deep = || get("/admin/health");
    vec![
        case("ok", get("/health"), [well()]),
        case("deep", deep().by(OPERATOR), [well()]),
        case("deep-not-an-operator", deep().by(FIRST), [problem(403, "forbidden")]),
        case("deep-no-identity", deep(), [problem(401, "unauthenticated")]),
        case("deep-for-anyone", get("/health").query("deep", "true"), [problem(403, "forbidden")]),
    ]
}
