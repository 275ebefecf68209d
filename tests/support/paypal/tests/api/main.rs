//! The fake's rules as tables: transitions, request ids and how long they last, refunds, ends, webhooks, access, faults.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "the helpers of tests say what they expect")]

mod access;
mod ends;
mod faults;
mod orders;
mod payments;
mod refunds;
mod request_ids;
mod webhooks;
mod world;
