//! Every function in this process, on sample events and a real DynamoDB engine: its answers, its writes, its costs, and what it
//! leaves when it dies half-way. One binary, so that the SDK is linked once.

mod operators;
mod saga;
mod shoppers;
mod workers;
