//! The gate at the edge, run in Node, against the API's own answers.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code: what is missing or wrong ends a test"
)]

mod answers;
mod node;
mod requests;
mod times;
