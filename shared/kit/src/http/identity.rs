//! The caller of a request: what the authorizer granted, read again.
//!
//! API Gateway keeps the authorizer's answer for minutes and for all routes. So each function looks at the end of the token, at the
//! realm of its issuer and at the caller's groups itself.
//!
//! Where no authorizer runs (`sam local`), the header `X-User-ID` replaces a token. This is for the stage `local` only:
//! the template refuses to deploy it to other stages, and there a function that is told to trust the header does not start.

use std::{fmt, sync::Arc};

use domain::{Clock, ShopperId};
use identity::{Grant, Realm};
use lambda_http::{Request, RequestExt, request::RequestContext};
use serde_json::Value;

use crate::Problem;

/// Which identity sources a function accepts, and the clock by which tokens end.
#[derive(Clone)]
pub struct Identity {
    clock: Arc<dyn Clock>,
    trusts_header: bool,
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's `sub`.
    pub shopper: ShopperId,
    realm: Realm,
    groups: Vec<String>,
}

impl Identity {
    /// Accepts what the authorizer granted, and nothing else.
    #[must_use]
    pub fn granted_only(clock: Arc<dyn Clock>) -> Self {
        Self { clock, trusts_header: false }
    }

    /// Accepts a grant, else the header: for a developer's own machine.
    #[must_use]
    pub fn trusting_header(clock: Arc<dyn Clock>) -> Self {
        Self { clock, trusts_header: true }
    }

    /// Whether the header can stand in for a token.
    #[must_use]
    pub fn trusts_header(&self) -> bool {
        self.trusts_header
    }

    /// The shopper who sent `request`. An operator is no shopper: the ids of the two issuers may coincide.
    ///
    /// # Errors
    /// 401 when nobody has signed in or the token's time is over; 403 when the caller is an operator.
    pub fn shopper(&self, request: &Request) -> Result<Caller, Problem> {
        let caller = self.caller(request)?;
        match caller.realm {
            Realm::Customers => Ok(caller),
            Realm::Operators => Err(Problem::forbidden("operators sign in as a shopper to buy")),
        }
    }

    /// The operator who sent `request`: a member of `group` whom the operators' issuer vouches for.
    ///
    /// # Errors
    /// 401 when nobody has signed in or the token's time is over; 403 when the caller is not such an operator.
    pub fn operator(&self, request: &Request, group: &str) -> Result<Caller, Problem> {
        let caller = self.caller(request)?;
        let is_member = match caller.realm {
            Realm::Customers => false,
            Realm::Operators => caller.groups.iter().any(|one| one == group),
        };
        if is_member { Ok(caller) } else { Err(Problem::forbidden(format!("only members of the group '{group}' may do this"))) }
    }

    fn caller(&self, request: &Request) -> Result<Caller, Problem> {
        let granted = granted(request).filter(|grant| !grant.is_over(self.clock.now()));
        let granted = granted.map(|Grant { subject, realm, groups, expires_at: _ }| Caller { shopper: subject, realm, groups });
        let is_signed_in = is_signed_in(request);
        // A request with a token, even an expired one, never falls back to the header.
        let by_header = || from_headers(request).filter(|_| self.trusts_header && !is_signed_in);
        granted.or_else(by_header).ok_or_else(Problem::unauthenticated)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("trusts_header", &self.trusts_header).finish_non_exhaustive()
    }
}

impl Caller {
    /// A body may repeat the caller's id, but cannot name another shopper.
    ///
    /// # Errors
    /// 403 when `user_id` is given and is not the caller's.
    pub fn must_be(&self, user_id: Option<&ShopperId>) -> Result<(), Problem> {
        if user_id.is_none_or(|id| *id == self.shopper) {
            Ok(())
        } else {
            Err(Problem::forbidden("user_id must be the caller's id"))
        }
    }
}

/// A REST API passes the answer of a Lambda authorizer as `requestContext.authorizer`.
fn granted(request: &Request) -> Option<Grant> {
    let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else { return None };
    Grant::read(|name| context.authorizer.fields.get(name).and_then(Value::as_str))
}

/// Whether an authorizer has let the request pass.
fn is_signed_in(request: &Request) -> bool {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => !context.authorizer.fields.is_empty(),
        Some(_) | None => false,
    }
}

/// Groups in the header make the caller an operator.
fn from_headers(request: &Request) -> Option<Caller> {
    // Two values name two callers: neither is believed.
    let header = |name| {
        let mut values = request.headers().get_all(name).into_iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let shopper = header("x-user-id")?.parse().ok()?;
    let listed = header("x-user-groups").unwrap_or_default().split([',', ' ']).filter(|name| !name.is_empty());
    let groups: Vec<String> = listed.map(str::to_owned).collect();
    let realm = if groups.is_empty() { Realm::Customers } else { Realm::Operators };
    Some(Caller { shopper, realm, groups })
}

#[cfg(test)]
mod tests;
