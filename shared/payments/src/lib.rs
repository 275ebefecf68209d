//! Payment gateways: the interface to a gateway, which gateway a payment goes to and when, and the gateways: the sandbox, which
//! behaves like a real one, [`stripe`] and [`paypal`].

mod amount;
mod form;
mod gateway;
mod http;
mod keys;
pub mod paypal;
mod routing;
mod sandbox;
pub mod stripe;
#[cfg(test)]
mod testing;
mod words;

pub use amount::CannotCharge;
pub use gateway::{About, Found, LookUp, OpenOutcome, Part, Payment, PaymentGateway};
pub use http::{Certainty, Http, Secret};
pub use keys::{Keys, NoKeys, PaypalKeys, SecretStore, StripeKeys};
pub use routing::{Admission, Gateways, Providers};
pub use sandbox::Sandbox;
