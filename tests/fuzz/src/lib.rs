//! Fuzz targets: a plain function for each parser of outside input.
//!
//! A target reads any bytes. It panics when the parser panics, and when what the parser says breaks a property. `cargo test`
//! runs each target on a fixed sequence of inputs ([`drive`]); `cargo fuzz` runs it with libFuzzer (`fuzz/`). An input that was
//! found by either becomes a test of its parser.
// This is test code: a panic is a finding.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate)]

mod bodies;
mod configuration;
mod driver;
mod functions;
mod messages;
mod mutation;
mod providers;
mod stored;
mod targets;
#[cfg(test)]
mod tests;
mod texts;
mod tokens;
mod webhooks;
mod work;
mod world;

pub use driver::{Finding, Tally, drive};
pub use mutation::mutated;
pub use targets::{TARGETS, Target, named};
