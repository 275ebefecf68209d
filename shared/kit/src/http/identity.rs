//! The caller of a request: the claims that API Gateway's authorizer has verified.
//!
//! Where no authorizer runs (`sam local`), the header `X-User-ID` replaces a token. This is for the stage `local` only:
//! the template refuses to deploy it to other stages, and there a function that is told to trust the header does not start.

use domain::ShopperId;
use lambda_http::{Request, RequestExt, request::RequestContext};
use serde_json::Value;

use crate::Problem;

/// Which identity sources a function accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Claims of a verified token, and nothing else.
    ClaimsOnly,
    /// Claims, else the `X-User-ID` header: for a developer's own machine.
    TrustingHeader,
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's `sub`.
    pub shopper: ShopperId,
    /// The Cognito groups that the token names.
    pub groups: Vec<String>,
}

impl Identity {
    /// Accepts claims only.
    #[must_use]
    pub fn claims_only() -> Self {
        Self::ClaimsOnly
    }

    /// Accepts claims, else the header.
    #[must_use]
    pub fn trusting_header() -> Self {
        Self::TrustingHeader
    }

    /// The caller of `request`.
    ///
    /// # Errors
    /// 401 when the request has no identity.
    pub fn caller(self, request: &Request) -> Result<Caller, Problem> {
        from_claims(request)
            .or_else(|| match self {
                Self::ClaimsOnly => None,
                Self::TrustingHeader => from_headers(request),
            })
            .ok_or_else(Problem::unauthenticated)
    }
}

impl Caller {
    /// Checks that the caller is a member of `group`.
    ///
    /// # Errors
    /// 403 if the caller is not a member.
    pub fn require_group(&self, group: &str) -> Result<(), Problem> {
        if self.groups.iter().any(|one| one == group) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("only members of the group '{group}' may do this")))
        }
    }

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

/// A REST API passes the claims of a Cognito authorizer as `requestContext.authorizer.claims`.
fn from_claims(request: &Request) -> Option<Caller> {
    let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else { return None };
    let claims = context.authorizer.fields.get("claims")?;
    let shopper = claims.get("sub")?.as_str()?.parse().ok()?;
    Some(Caller { shopper, groups: claims.get("cognito:groups").map(groups).unwrap_or_default() })
}

fn from_headers(request: &Request) -> Option<Caller> {
    // Two values name two callers: neither is believed.
    let header = |name| {
        let mut values = request.headers().get_all(name).into_iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let shopper = header("x-user-id")?.parse().ok()?;
    Some(Caller { shopper, groups: header("x-user-groups").map(listed).unwrap_or_default() })
}

/// A REST API writes the groups as `ops,admin`, an HTTP API as `[ops admin]`, and the token itself has an array.
fn groups(claim: &Value) -> Vec<String> {
    match claim {
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => listed(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn listed(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let names = text.split([',', ' ']).map(|name| name.trim_matches('"'));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed_in(groups: Value) -> Request {
        test_aws::request("GET", "/orders").claim("sub", json!("shopper-1")).claim("cognito:groups", groups).build()
    }

    fn with_header(name: &str, value: &str) -> Request {
        test_aws::request("GET", "/orders").header(name, value).build()
    }

    #[test]
    fn the_caller_is_the_tokens_subject() {
        let request = test_aws::request("GET", "/orders").shopper("shopper-1").build();
        let caller = Identity::claims_only().caller(&request).unwrap();
        assert_eq!((caller.shopper.as_str(), caller.groups.len()), ("shopper-1", 0));
    }

    #[test]
    fn groups_are_read_in_every_form_that_a_gateway_writes() {
        for (claim, expected) in [
            (json!("ops"), vec!["ops"]),
            (json!("ops,admin"), vec!["ops", "admin"]),
            (json!("ops, admin"), vec!["ops", "admin"]),
            (json!("[ops admin]"), vec!["ops", "admin"]),
            (json!("[\"ops\",\"admin\"]"), vec!["ops", "admin"]),
            (json!(["ops", "admin"]), vec!["ops", "admin"]),
            (json!("[]"), vec![]),
            (json!(""), vec![]),
            (json!(null), vec![]),
            (json!(7), vec![]),
        ] {
            let caller = Identity::claims_only().caller(&signed_in(claim.clone())).unwrap();
            assert_eq!(caller.groups, expected, "{claim}");
        }
    }

    #[test]
    fn only_members_pass_and_a_name_that_contains_the_groups_is_not_it() {
        let caller = |groups| Identity::claims_only().caller(&signed_in(groups)).unwrap();
        assert!(caller(json!("ops")).require_group("ops").is_ok());
        for groups in [json!(""), json!("admin"), json!("devops"), json!("ops2"), json!("OPS")] {
            assert_eq!(caller(groups.clone()).require_group("ops").unwrap_err().status(), 403, "{groups}");
        }
    }

    #[test]
    fn nobody_is_refused() {
        let nobody = [
            test_aws::request("GET", "/orders").build(),
            test_aws::request("GET", "/orders").claim("email", json!("a@example.com")).build(),
            test_aws::request("GET", "/orders").claim("sub", json!("")).build(),
            test_aws::request("GET", "/orders").claim("sub", json!(7)).build(),
            Request::default(),
        ];
        for request in nobody {
            for identity in [Identity::ClaimsOnly, Identity::TrustingHeader] {
                assert_eq!(identity.caller(&request).unwrap_err().status(), 401);
            }
        }
    }

    #[test]
    fn the_header_counts_only_where_it_is_trusted_and_never_against_a_token() {
        let request = with_header("x-user-id", "shopper-2");
        assert_eq!(Identity::claims_only().caller(&request).unwrap_err().status(), 401);
        assert_eq!(Identity::trusting_header().caller(&request).unwrap().shopper.as_str(), "shopper-2");
        let both = test_aws::request("GET", "/orders").shopper("shopper-1").header("x-user-id", "shopper-2").build();
        assert_eq!(Identity::trusting_header().caller(&both).unwrap().shopper.as_str(), "shopper-1");
        let operator = test_aws::request("PUT", "/").header("x-user-id", "o").header("x-user-groups", "ops").build();
        assert!(Identity::trusting_header().caller(&operator).unwrap().require_group("ops").is_ok());
        assert_eq!(Identity::trusting_header().caller(&with_header("x-user-id", "")).unwrap_err().status(), 401);
    }

    #[test]
    fn a_body_cannot_make_the_caller_somebody_else() {
        let caller = Caller { shopper: "shopper-1".parse().unwrap(), groups: Vec::new() };
        assert!(caller.must_be(None).is_ok());
        assert!(caller.must_be(Some(&"shopper-1".parse().unwrap())).is_ok());
        assert_eq!(caller.must_be(Some(&"shopper-2".parse().unwrap())).unwrap_err().status(), 403);
    }
}
