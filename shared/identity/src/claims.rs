//! The claims of a token whose signature is verified (RFC 7519, section 4.1; Cognito's own).

use domain::{ShopperId, Timestamp};
use serde_json::{Map, Value};

use crate::{LEEWAY_SECONDS, Refusal};

/// How an issuer says for whom a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By `aud`, in tokens of both kinds (OpenID Connect Core, RFC 9068).
    Oidc,
    /// Cognito: by `aud` in an ID token, and by `client_id` in an access token. `token_use` says which of the two it is.
    Cognito,
}

/// The end of the token, if its time has come and is not over.
pub(crate) fn end(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let end = time(claims, "exp")?.ok_or(Refusal::Time)?;
    if is_over(end, now) {
        return Err(Refusal::Expired);
    }
    for begin in ["nbf", "iat"] {
        if time(claims, begin)?.is_some_and(|begin| begin.as_second() > now.as_second().saturating_add(LEEWAY_SECONDS)) {
            return Err(Refusal::NotYetValid);
        }
    }
    Ok(end)
}

/// Whether a token with this end is no longer good.
pub(crate) fn is_over(end: Timestamp, now: Timestamp) -> bool {
    now.as_second() >= end.as_second().saturating_add(LEEWAY_SECONDS)
}

/// Seconds since 1970. RFC 7519 also allows fractions; no issuer needs them, and a reader of the same token could round otherwise.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().filter(|seconds| *seconds >= 0).ok_or(Refusal::Time)?;
    Timestamp::from_second(seconds).map(Some).map_err(|_| Refusal::Time)
}

/// Whether the token is for one of these applications, and is one with which its holder calls an API.
pub(crate) fn is_for(claims: &Map<String, Value>, form: Form, audiences: &[String]) -> Result<(), Refusal> {
    // A logout token (OpenID Connect Back-Channel Logout, section 2.4) has the issuer, audience and key of an ID token.
    if claims.contains_key("events") {
        return Err(Refusal::TokenType);
    }
    let is_ours = |audience: &Value| audience.as_str().is_some_and(|text| audiences.iter().any(|ours| ours == text));
    let by_audience = || match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().all(Value::is_string) && several.iter().any(is_ours),
        Some(one) => is_ours(one),
        None => false,
    };
    let fits = match form {
        Form::Oidc => by_audience(),
        Form::Cognito => match claims.get("token_use").and_then(Value::as_str) {
            Some("id") => by_audience(),
            Some("access") => claims.get("client_id").is_some_and(is_ours) && (!claims.contains_key("aud") || by_audience()),
            Some(_) | None => return Err(Refusal::TokenUse),
        },
    };
    if fits { Ok(()) } else { Err(Refusal::Audience) }
}

/// The shopper's or operator's id.
pub(crate) fn subject(claims: &Map<String, Value>) -> Result<ShopperId, Refusal> {
    // API Gateway writes the subject into its access log between quotes, as it is.
    let text = claims.get("sub").and_then(Value::as_str).filter(|text| !text.contains(['"', '\\']));
    text.and_then(|subject| subject.parse().ok()).ok_or(Refusal::Subject)
}

/// The groups of a Cognito user, as far as the grant can name them: a name with other characters could look like two.
pub(crate) fn groups(claims: &Map<String, Value>) -> Vec<String> {
    let named = claims.get("cognito:groups").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    named.filter(|name| is_plain(name)).map(str::to_owned).collect()
}

/// Whether a grant can name this group: letters, digits, `-` and `_`.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
