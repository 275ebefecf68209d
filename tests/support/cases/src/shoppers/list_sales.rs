//! `GET /api/flash-sales`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let list = || get("/api/flash-sales");
    vec![
        case("ok", list(), [status(200)]),
        case("state", list().query("state", "ended"), [status(200)]),
        case("ended", list().query("next", "ended"), [answer(200, json!({"sales": []}))]),
        case("impossible-state", list().query("state", "closed"), [problem(400, "malformed-request")]),
        case("impossible-next", list().query("next", "no-page-begins-here"), [problem(400, "malformed-request")]),
    ]
}
