//! What tests share: the three tables on dynoxide, queues and state machines in this process, counted AWS calls, a
//! clock that the test sets, sample events.
//!
//! The AWS clients are the real ones: a test runs every expression and every (de)serialization that production runs.
// This is test code that several crates share: a panic here fails the test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc)]
#![allow(clippy::disallowed_methods, clippy::must_use_candidate)]

mod bus;
mod calls;
mod dynamo;
mod edge_store;
mod events;
mod executions;
mod interleaving;
mod kept;
mod queue;
mod requests;
mod responses;
mod tables;
#[cfg(test)]
mod tests;
mod time;
mod topic;
mod vault;
mod wire;

pub use bus::{Bus, PutEvent, entries_fault};
pub use calls::{Calls, Fault, every_crash, passing_faults};
pub use dynamo::Dynamo;
pub use edge_store::EdgeStore;
pub use events::{event, event_as, event_text, event_value};
pub use executions::{Started, StepFunctions};
pub use interleaving::{Interleaving, every_interleaving};
pub use queue::{Queue, Sent, batch_fault};
pub use requests::{RequestBuilder, request};
pub use responses::{response, told};
pub use tables::{Definition as TableDefinition, Names as TableNames, create as create_tables, definitions as table_definitions};
pub use time::{CountingRandomness, EngineClock, FixedClock};
pub use topic::{Published, Topic};
pub use vault::Vault;
pub use wire::form_field;
