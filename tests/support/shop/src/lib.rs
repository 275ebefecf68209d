//! A sale and its purchases in every state, for the tests of functions, and checks that apply to every HTTP function.
// This is test code that several crates share: a panic here fails the test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc)]
#![allow(clippy::disallowed_methods, clippy::must_use_candidate)]

mod conformance;
mod documents;
mod http;
mod judged;
mod shop;
mod state;
mod work;

pub use conformance::{Answered, Conformance};
pub use documents::OnlyDocuments;
pub use http::{Body, answers, body, brief, by_stage, refuses_what_every_route_refuses, tells_that_a_table_fails};
pub use judged::Judged;
pub use shop::{
    Buyer, CHALLENGE_SECRET, END, Given, NOTIFICATIONS, NOW, ORDER_EVENTS, START, STATE_MACHINE, Shop, Stage, address,
    answer_of_fake, calls_to, demo, draft, guarded, nobody, price, queue, request_to_fake, sold_out, stream, stream_batch,
    stream_parts, task,
};
pub use state::RawItem;
pub use work::solved;
