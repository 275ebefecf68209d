//! PayPal over HTTP: orders, authorizations, captures, refunds and webhooks. The client repeats nothing but a call that
//! PayPal refused for an expired token, and decides nothing; [`PaypalGateway`] does.

mod amount;
mod answers;
mod certificates;
mod client;
mod error;
mod gateway;
mod part;
mod standing;
mod token;
mod webhook;

pub use amount::{from_paypal, to_paypal};
pub use answers::{
    Amount, Authorization, AuthorizationStatus, Capture, CaptureStatus, Order, OrderIntent, OrderStatus, Refund, RefundStatus,
};
pub use certificates::Roots;
pub use client::{NewOrder, PaypalClient};
pub use error::{Issue, PaypalError};
pub use gateway::PaypalGateway;
pub use webhook::{Event, SignedTransmission, Signer, Transmission, Verifier, WebhookError};

#[cfg(test)]
mod tests;
