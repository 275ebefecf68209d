//! `GET /api/flash-sales`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    vec![case("ok", get("/api/flash-sales"), [status(200)])]
}
