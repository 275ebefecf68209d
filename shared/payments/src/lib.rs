//! Payment gateways: the interface to a gateway, the configured gateways, and the sandbox, which behaves like a real
//! one. Below them are the clients of the providers, [`stripe`] and [`paypal`].

mod amount;
mod form;
mod gateway;
mod http;
pub mod paypal;
mod sandbox;
pub mod stripe;
#[cfg(test)]
mod testing;
mod words;

pub use amount::CannotCharge;
pub use gateway::{Gateways, LookUp, OpenOutcome, Payment, PaymentGateway, UnknownGateway};
pub use http::{Certainty, Http, Secret};
pub use sandbox::Sandbox;
