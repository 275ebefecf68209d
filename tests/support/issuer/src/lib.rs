//! A fake issuer of tokens. It signs with `ring`; the product verifies with `aws-lc-rs`. It writes JSON as it is told, also with
//! members that are there twice.
// This is test code that several crates share: a panic here fails the test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc, clippy::must_use_candidate)]

mod server;
mod signer;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub use server::{KeyServer, Mode};
pub use signer::Signer;

/// An issuer with one key.
pub struct Issuer {
    /// The name in `iss`.
    pub url: String,
    /// Where the issuer publishes its keys.
    pub keys_url: String,
    /// The application that its tokens are for.
    pub audience: String,
    /// The id of its key.
    pub key_id: String,
    /// Signs its tokens.
    pub signer: Signer,
}

impl Issuer {
    /// An issuer like Cognito's user pool `pool`.
    pub fn cognito(pool: &str, signer: Signer) -> Self {
        let url = format!("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_{pool}");
        let keys_url = format!("{url}/.well-known/jwks.json");
        Self { url, keys_url, audience: format!("client-of-{pool}"), key_id: format!("key-of-{pool}"), signer }
    }

    /// An issuer of OpenID Connect.
    pub fn oidc(name: &str, signer: Signer) -> Self {
        let url = format!("https://{name}.example.com/");
        let keys_url = format!("{url}keys");
        Self { url, keys_url, audience: format!("app-of-{name}"), key_id: format!("key-of-{name}"), signer }
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({"alg": self.signer.algorithm(), "kid": self.key_id, "typ": "JWT"})
    }

    /// The claims of an ID token for `subject`, made at `now` for an hour.
    pub fn id_claims(&self, subject: &str, now: i64) -> Value {
        json!({
            "iss": self.url, "aud": self.audience, "sub": subject, "iat": now, "auth_time": now, "exp": now + 3600,
            "token_use": "id", "email": "ann@example.com", "email_verified": true, "jti": "1",
        })
    }

    /// The claims of Cognito's access token: without `aud`.
    pub fn access_claims(&self, subject: &str, now: i64) -> Value {
        json!({
            "iss": self.url, "client_id": self.audience, "sub": subject, "iat": now, "auth_time": now, "exp": now + 3600,
            "token_use": "access", "scope": "aws.cognito.signin.user.admin", "username": subject, "jti": "1",
        })
    }

    /// A token with these claims, signed with the issuer's key.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    /// A token with this header and these claims, signed with the issuer's key.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.raw_token(&header.to_string(), &claims.to_string())
    }

    /// A token with header and claims as they are written here.
    pub fn raw_token(&self, header: &str, claims: &str) -> String {
        let signed = signed_part(header, claims);
        let signature = self.signer.sign(&signed);
        format!("{signed}.{}", encoded(signature))
    }

    /// The issuer's key set.
    pub fn key_set(&self) -> Value {
        json!({"keys": [self.signer.jwk(&self.key_id)]})
    }
}

/// Header and claims in the form in which they are signed.
pub fn signed_part(header: &str, claims: &str) -> String {
    format!("{}.{}", encoded(header), encoded(claims))
}

/// base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
