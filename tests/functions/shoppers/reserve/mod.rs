//! `reserve` on a real DynamoDB engine: its answers, its costs, and what it leaves when it dies half-way.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod attack;
mod buckets;
mod cooling;
mod crashes;
mod doubles;
mod draw;
mod losers;
mod on_events;
mod proof_of_work;
mod together;
mod winners;
mod world;
