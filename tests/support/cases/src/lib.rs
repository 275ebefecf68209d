//! The sample events of each function, and its answers in each state of a purchase.
//!
//! Every function has one small table of cases, grouped as `functions/` is. `cargo xtask events` writes
//! `events/<function>/<case>.json` from the tables; a drift test compares the files with them. The bootstraps' tests
//! send every event and compare the answers.
// This is test code that several crates share: a panic here fails the test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc, clippy::must_use_candidate)]

mod case;
mod event;
mod expected;
mod http;
mod ids;
mod json;
mod operators;
mod prelude;
mod queue;
mod saga;
mod shoppers;
mod stream;
#[cfg(test)]
mod tests;
mod values;
mod workers;

pub use case::Case;
pub use event::Event;
pub use expected::{Answer, Expected, Units};
pub use http::{Caller, Request};
pub use stream::Change;

/// A function's name and its table.
type Table = (&'static str, fn() -> Vec<Case>);

/// Every case of every function. A function's cases follow each other.
pub fn cases() -> Vec<Case> {
    let groups: [&[Table]; 4] = [&shoppers::TABLES, &operators::TABLES, &saga::TABLES, &workers::TABLES];
    let tables = groups.into_iter().flatten();
    tables.flat_map(|(function, table)| table().into_iter().map(|case| case.of(function))).collect()
}
