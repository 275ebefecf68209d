//! Verifying a token: find its issuer, find the issuer's key, let both judge.

use std::{sync::Arc, time::Duration};

use domain::Clock;
use identity::{Found, Grant, Issuer, Key, KeyCache, KeySet, LARGEST_KEY_SET, Refusal, Token};
use kit::{Https, metrics};
use parts::{FromParts, Parts, TrustedIssuer};
use tokio::sync::Mutex;

/// How long a shopper waits for an issuer's keys. Issuers answer within some 100 ms; a request must not wait for one that hangs.
const KEYS_ARRIVE_WITHIN: Duration = Duration::from_secs(2);

/// Knows the issuers that the shop believes, and their keys.
pub struct Gatekeeper {
    issuers: Vec<KnownIssuer>,
    https: Https,
    clock: Arc<dyn Clock>,
}

/// An issuer with what this environment remembers of its keys.
struct KnownIssuer {
    issuer: Issuer,
    keys_url: String,
    keys: Mutex<KeyCache>,
}

/// Why nothing is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The token is not believed.
    #[error("the token is refused: {0}")]
    Refused(#[from] Refusal),
    /// The issuer did not answer with its keys, so the authorizer cannot verify the token.
    #[error("the issuer's keys are unavailable")]
    KeysUnavailable,
}

impl Denial {
    /// The reason's name in the metric.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::KeysUnavailable => "keys-unavailable",
        }
    }
}

impl FromParts for Gatekeeper {
    fn from_parts(parts: &mut Parts) -> Self {
        let known = |TrustedIssuer { issuer, keys_url }| KnownIssuer { issuer, keys_url, keys: Mutex::default() };
        Self { issuers: parts.trusted_issuers().into_iter().map(known).collect(), https: parts.https(), clock: parts.clock() }
    }
}

impl Gatekeeper {
    /// What the header `Authorization` grants its sender.
    ///
    /// # Errors
    /// Why it grants nothing.
    pub async fn admit(&self, authorization: &str) -> Result<Grant, Denial> {
        let token = Token::read(bearer(authorization).ok_or(Refusal::Malformed)?)?;
        let known = self.issuers.iter().find(|known| known.issuer.names(&token)).ok_or(Refusal::Issuer)?;
        let key = known.key(&token, &self.https, self.clock.as_ref()).await?;
        Ok(known.issuer.verify(&token, &key, self.clock.now())?)
    }
}

impl KnownIssuer {
    /// The key that the token names. An environment has one request at a time, so nobody else waits for the lock.
    async fn key(&self, token: &Token<'_>, https: &Https, clock: &dyn Clock) -> Result<Key, Denial> {
        let mut keys = self.keys.lock().await;
        let now = clock.now();
        if matches!(keys.find(token.algorithm(), token.key_id(), now), Found::Fetch) {
            keys.fetched(self.fetch(https).await, now);
        }
        match keys.find(token.algorithm(), token.key_id(), now) {
            Found::Key(key) => Ok(key.clone()),
            Found::Unknown => Err(Refusal::UnknownKey.into()),
            Found::Fetch | Found::Unavailable => Err(Denial::KeysUnavailable),
        }
    }

    /// The issuer's keys; `None` if they cannot be had, which the log explains.
    async fn fetch(&self, https: &Https) -> Option<KeySet> {
        let realm = self.issuer.realm().name();
        let failed = |error: &(dyn std::error::Error + 'static)| {
            metrics::record("KeysNotFetched", 1.0, "Count");
            tracing::error!(realm, url = self.keys_url, error = kit::chain(error), "an issuer's keys were not fetched");
        };
        let document = https.get(&self.keys_url, LARGEST_KEY_SET, KEYS_ARRIVE_WITHIN).await;
        let document = document.inspect_err(|error| failed(error)).ok()?;
        KeySet::read(&document).inspect_err(|error| failed(error)).ok()
    }
}

/// The token after the scheme, whose case does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}
