//! The replacements for AWS and for the payment providers, all in this process: DynamoDB with its streams, SQS, EventBridge, Step
//! Functions, Lambda, the schedule, a fake Stripe and a fake PayPal, and the wires between them and the real clients.
//! Services use tables, queues, executions and environments; they know no actor.

pub(crate) mod bus;
pub(crate) mod calls;
pub(crate) mod clients;
pub(crate) mod environments;
pub(crate) mod functions;
pub(crate) mod machine;
pub(crate) mod providers;
pub(crate) mod queues;
pub(crate) mod schedule;
pub(crate) mod streams;
pub(crate) mod tables;
pub(crate) mod webhooks;
pub(crate) mod wire;
