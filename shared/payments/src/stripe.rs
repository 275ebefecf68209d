//! Stripe over HTTP: payment intents, refunds and webhooks, in the form of one pinned version of Stripe's API. The client
//! repeats nothing and decides nothing; [`StripeGateway`] does.

mod amount;
mod answers;
mod client;
mod error;
mod gateway;
mod webhook;

pub use amount::{from_stripe, to_stripe};
pub use answers::{Intent, IntentStatus, NextAction, NextActionKind, PaymentError, Refund, RefundStatus, Refunds};
pub use client::{CaptureMethod, NewIntent, StripeClient};
pub use error::StripeError;
pub use gateway::StripeGateway;
pub use webhook::{Event, WebhookError, verify};

#[cfg(test)]
mod tests;
