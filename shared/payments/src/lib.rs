//! Payment gateways: the interface to a gateway, the configured gateways, and the sandbox, which behaves like a real
//! one. Below them is the client of a provider, [`stripe`].

mod amount;
mod form;
mod gateway;
mod http;
mod sandbox;
pub mod stripe;
#[cfg(test)]
mod testing;
mod words;

pub use amount::CannotCharge;
pub use gateway::{Gateways, LookUp, PaymentGateway, UnknownGateway};
pub use http::{Certainty, Http, Secret};
pub use sandbox::Sandbox;
