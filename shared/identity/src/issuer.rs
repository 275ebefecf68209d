//! An issuer that the shop believes, and what makes one of its tokens true.

use domain::Timestamp;

use crate::{
    Grant, Key, Realm, Refusal, Token,
    claims::{self, Form},
};

/// Cognito's user pools begin with this; the Region and the pool follow.
const COGNITO: &str = "https://cognito-idp.";

/// An issuer of tokens that the shop has chosen for its customers or for its operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    realm: Realm,
    url: String,
    audiences: Vec<String>,
    form: Form,
}

/// Why an issuer cannot be configured so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The issuer's name does not begin with `https://`.
    #[error("an issuer begins with https://")]
    Url,
    /// No application is named.
    #[error("an issuer needs at least one audience")]
    NoAudience,
}

impl Issuer {
    /// The issuer `url`, whose tokens are good if they are for one of `audiences`: the ids of the shop's applications.
    ///
    /// # Errors
    /// When `url` is no HTTPS address or there is no audience.
    pub fn new(realm: Realm, url: String, audiences: Vec<String>) -> Result<Self, IssuerError> {
        if !url.starts_with("https://") {
            return Err(IssuerError::Url);
        }
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(IssuerError::NoAudience);
        }
        let form = if url.starts_with(COGNITO) { Form::Cognito } else { Form::Oidc };
        Ok(Self { realm, url, audiences, form })
    }

    /// Whether `token` says that it is of this issuer. Every character counts, the slash at the end too.
    #[must_use]
    pub fn names(&self, token: &Token<'_>) -> bool {
        token.issuer() == Some(self.url.as_str())
    }

    /// The issuer's name in `iss`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The people whom this issuer vouches for.
    #[must_use]
    pub fn realm(&self) -> Realm {
        self.realm
    }

    /// What `token` grants, if `key`, which has to be one of this issuer's, signed it and its claims hold at `now`.
    ///
    /// # Errors
    /// Why the token is not believed.
    pub fn verify(&self, token: &Token<'_>, key: &Key, now: Timestamp) -> Result<Grant, Refusal> {
        if !self.names(token) {
            return Err(Refusal::Issuer);
        }
        let claims = token.signed_by(key)?;
        claims::is_for(claims, self.form, &self.audiences)?;
        let expires_at = claims::end(claims, now)?;
        let subject = claims::subject(claims)?;
        // Groups of the customers' issuer make no operator, so a customer's grant has none.
        let groups = match self.realm {
            Realm::Customers => Vec::new(),
            Realm::Operators => claims::groups(claims),
        };
        Ok(Grant { subject, realm: self.realm, groups, expires_at })
    }
}
