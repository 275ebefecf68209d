//! Payment gateways: what the saga needs of one, which ones are configured, and the sandbox that behaves like one.

mod gateway;
mod sandbox;

pub use gateway::{Gateways, LookUp, PaymentGateway, UnknownGateway};
pub use sandbox::Sandbox;
