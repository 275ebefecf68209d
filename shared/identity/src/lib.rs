//! Who a caller is. The authorizer verifies the token of an issuer that the shop has chosen ([`Issuer::verify`]) and grants what the
//! token says ([`Grant`]). The functions of the API read the grant again, because API Gateway keeps it for minutes.
//!
//! Architecture invariant: this crate does no input and output and reads no clock. Keys and time are passed in.

mod cache;
mod claims;
mod grant;
mod issuer;
mod json;
mod keys;
mod refusal;
mod token;

pub use cache::{Found, KeyCache};
pub use grant::{Grant, Realm};
pub use issuer::{Issuer, IssuerError};
pub use keys::{Algorithm, Key, KeySet, KeySetError, LARGEST_KEY_SET};
pub use refusal::Refusal;
pub use token::{LARGEST_TOKEN, Token};

/// By how many seconds the clocks of an issuer and of this account may differ. A token is good for so long after its end, and so
/// long before its beginning.
pub const LEEWAY_SECONDS: i64 = 60;
