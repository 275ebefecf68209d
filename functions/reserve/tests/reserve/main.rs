//! `reserve` on a real DynamoDB engine: what it answers, what it costs, and what is left when it dies half-way.

mod crashes;
mod doubles;
mod losers;
mod on_events;
mod winners;
mod world;
