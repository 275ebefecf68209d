//! The authorizer of the API. API Gateway asks it who sends a request, and keeps its answer for the token.
//!
//! The authorizer says who the caller is. Each function decides what the caller may do.

mod use_case;

use identity::Grant;
use kit::{AuthorizerFunction, NotGranted, metrics};
use parts::{FromParts, Parts};

pub use crate::use_case::{Denial, Gatekeeper};

/// The Lambda handler and its dependencies.
pub struct Authorize {
    gatekeeper: Gatekeeper,
}

impl FromParts for Authorize {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { gatekeeper: Gatekeeper::from_parts(parts) }
    }
}

impl AuthorizerFunction for Authorize {
    async fn admit(&self, authorization: &str) -> Result<Grant, NotGranted> {
        let denial = match self.gatekeeper.admit(authorization).await {
            Ok(grant) => return Ok(grant),
            Err(denial) => denial,
        };
        // Counted and not logged: anyone can send any number of tokens, and each line of a log costs.
        metrics::count("TokensRefused", ("reason", denial.name()));
        Err(match denial {
            Denial::Refused(_) => NotGranted::Refused,
            Denial::KeysUnavailable => NotGranted::Unavailable,
        })
    }
}
