//! What runs in a browser: Chromium, driven as a person drives it.

// All of this is test code, and a browser has the real time.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod driver;
mod proof_of_work;
mod site;
