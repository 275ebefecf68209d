//! `GET /health`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let well = || answer(200, json!({"status": "ok"}));
    vec![case("ok", get("/health"), [well()]), case("deep", get("/health").query("deep", "true"), [well()])]
}
