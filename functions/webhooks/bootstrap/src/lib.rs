//! The registry of the functions that payment providers call over HTTP.

use kit::Function;
use parts::{FromParts, Registry};
use receive_paypal::ReceivePaypal;
use receive_stripe::ReceiveStripe;

/// The functions by name, each with its trigger.
pub const FUNCTIONS: Registry = &[
    ("receive-paypal", |parts| ReceivePaypal::wire(parts).map(Function::http)),
    ("receive-stripe", |parts| ReceiveStripe::wire(parts).map(Function::http)),
];
