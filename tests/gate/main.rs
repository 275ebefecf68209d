//! The gate at the edge, run in Node, against the API's own answers.

// All of this is test code: what is missing or wrong ends a test.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod answers;
mod node;
mod requests;
mod times;
