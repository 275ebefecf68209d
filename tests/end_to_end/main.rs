//! The whole system on the local stack, by HTTP only: what shoppers and operators see, and what the tables hold afterwards.
//!
//! These tests need the stack that `cargo xtask up --detach` starts. Without it they fail and say so. `cargo xtask test` starts
//! the stack, runs them, and stops it. Every test makes its own sale, so tests can run side by side and again.

#![expect(clippy::disallowed_methods, reason = "these tests run on real time, outside of the product")]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod answer;
mod corrections;
mod draw;
mod edge;
mod expiry;
mod faults;
mod identity;
mod logs;
mod operating;
mod order_events;
mod payments;
mod proof_of_work;
mod providers;
mod purchase;
mod refunds;
mod refusals;
mod rush;
mod stack;
