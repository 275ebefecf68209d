//! A deterministic simulation of the whole product: the real functions, store and AWS clients in one thread on virtual
//! time. The services behind them run in the process, and lose, delay, repeat and refuse requests. The seed determines
//! everything.
//!
//! See docs/simulation.md: what is simulated, what is assumed of AWS, how to replay a seed.
// This is test code: a panic here fails the history.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc)]
#![allow(clippy::disallowed_methods, clippy::must_use_candidate)]

mod actors;
mod chance;
mod checks;
mod faults;
mod history;
mod services;
mod time;
mod world;

pub use checks::{
    invariants::RETURNS_SOON,
    mutations::{MUTATIONS, Mutation},
};
pub use faults::{Fault, Faults, Injected};
pub use history::{History, Summary, run, run_recorded, run_seeds};
pub use services::{
    functions::{FUNCTIONS, timeout_seconds},
    streams::{READERS, passes},
};
pub use world::Violation;
