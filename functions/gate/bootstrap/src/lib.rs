//! The registry of the functions that API Gateway asks about a request.

use authorize::Authorize;
use kit::Function;
use parts::{FromParts, Registry};

/// The functions by name, each with its trigger.
pub const FUNCTIONS: Registry = &[("authorize", |parts| Authorize::wire(parts).map(Function::authorizer))];
