//! What runs in a browser: Chromium, driven as a person drives it.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code, and a browser has the real time"
)]

mod driver;
mod proof_of_work;
mod site;
