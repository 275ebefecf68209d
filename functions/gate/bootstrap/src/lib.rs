//! The registry of the functions that judge callers by signatures: the tokens of issuers, and the events of payment providers.

use authorize::Authorize;
use kit::Function;
use parts::{FromParts, Registry};
use receive_paypal::ReceivePaypal;
use receive_stripe::ReceiveStripe;

/// The functions by name, each with its trigger.
pub const FUNCTIONS: Registry = &[
    ("authorize", |parts| Authorize::wire(parts).map(Function::authorizer)),
    ("receive-paypal", |parts| ReceivePaypal::wire(parts).map(Function::http)),
    ("receive-stripe", |parts| ReceiveStripe::wire(parts).map(Function::http)),
];
