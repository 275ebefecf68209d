//! Payment gateways: the interface to a gateway, the configured gateways, and the sandbox, which behaves like a real
//! one.

mod gateway;
mod sandbox;

pub use gateway::{Gateways, LookUp, OpenOutcome, Payment, PaymentGateway, UnknownGateway};
pub use sandbox::Sandbox;
