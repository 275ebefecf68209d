//! A signed token (JWS compact serialization, RFC 7515), read but not yet believed.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::{Algorithm, Key, Refusal, json, keys::LONGEST_KEY_ID};

/// The longest token that is read, in bytes. API Gateway takes 10,240 bytes of headers in all.
pub const LARGEST_TOKEN: usize = 8 * 1024;

/// A token, read but not yet believed: only [`crate::Issuer::verify`] says whether it is true.
#[derive(Debug, Clone)]
pub struct Token<'t> {
    signed: &'t str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    key_id: String,
    claims: Map<String, Value>,
}

impl<'t> Token<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// When no issuer could have made it for this API, whatever its signature is.
    pub fn read(text: &'t str) -> Result<Self, Refusal> {
        if text.len() > LARGEST_TOKEN {
            return Err(Refusal::TooLarge);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
        let (algorithm, key_id) = header_of(&json::object(&decoded(header)?)?)?;
        Ok(Self { signed, signature: decoded(signature)?, algorithm, key_id, claims: json::object(&decoded(claims)?)? })
    }

    /// The algorithm that the header names.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id of the key that the header names.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The issuer that the claims name.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The claims, if `key` signed them.
    pub(crate) fn signed_by(&self, key: &Key) -> Result<&Map<String, Value>, Refusal> {
        if key.signed(self.signed.as_bytes(), &self.signature) { Ok(&self.claims) } else { Err(Refusal::Signature) }
    }
}

/// Algorithm and key id. Keys in the header and links to keys (`jwk`, `x5c`, `jku`, `x5u`) are never read: a token does not choose
/// who vouches for it.
fn header_of(header: &Map<String, Value>) -> Result<(Algorithm, String), Refusal> {
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named).ok_or(Refusal::Algorithm)?;
    let extensions = ["crit", "b64", "enc", "zip", "cty"];
    if extensions.iter().any(|name| header.contains_key(*name)) {
        return Err(Refusal::Extension);
    }
    // RFC 9068 calls access tokens "at+jwt"; with and without "application/", in any case (RFC 7515, section 4.1.9).
    let is_known = |kind: &str| {
        let kind = kind.to_ascii_lowercase();
        matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
    };
    if header.get("typ").is_some_and(|kind| !kind.as_str().is_some_and(is_known)) {
        return Err(Refusal::TokenType);
    }
    let key_id = header.get("kid").and_then(Value::as_str).filter(|id| !id.is_empty() && id.len() <= LONGEST_KEY_ID);
    Ok((algorithm, key_id.ok_or(Refusal::KeyId)?.to_owned()))
}
