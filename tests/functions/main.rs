//! Every function in this process, on sample events and a real DynamoDB engine: what it answers, what it writes, what it costs,
//! and what is left when it dies half-way. One binary, so that the SDK is linked once.

mod operators;
mod saga;
mod shoppers;
mod workers;
