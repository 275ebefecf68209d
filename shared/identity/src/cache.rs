//! The keys of an issuer in an environment's memory, and when they are fetched again.

use domain::Timestamp;

use crate::{Algorithm, Key, KeySet};

/// An unknown key may have been published a moment ago, so the keys are fetched again. Anyone can invent key ids, so that happens at
/// most once in so many seconds, whether or not the fetch succeeds.
const SECONDS_BETWEEN_FETCHES: i64 = 60;
/// As long as an environment has no keys at all, it grants nothing to anyone, and asks this often.
const SECONDS_BETWEEN_FIRST_FETCHES: i64 = 5;
/// After so many seconds the keys are fetched again even if all are known: an issuer may have withdrawn one.
const SECONDS_UNTIL_REFRESH: i64 = 3600;

/// The keys of one issuer, and what is known of fetching them. It does not fetch them itself.
#[derive(Debug, Default)]
pub struct KeyCache {
    keys: Option<KeySet>,
    read_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    last_failed: bool,
}

/// The answer of a [`KeyCache`].
#[derive(Debug)]
pub enum Found<'k> {
    /// The issuer's key with the id that the token names.
    Key(&'k Key),
    /// The keys have to be fetched now; after [`KeyCache::fetched`] the answer is another one.
    Fetch,
    /// The issuer does not have this key.
    Unknown,
    /// The last fetch failed, so this environment does not know whether the issuer has the key.
    Unavailable,
}

impl KeyCache {
    /// The key with this id, or what to do about it at `now`.
    #[must_use]
    pub fn find(&self, algorithm: Algorithm, id: &str, now: Timestamp) -> Found<'_> {
        let pause = if self.keys.is_some() { SECONDS_BETWEEN_FETCHES } else { SECONDS_BETWEEN_FIRST_FETCHES };
        let may_fetch = self.asked_at.is_none_or(|then| elapsed(then, now) >= pause);
        let is_old = self.read_at.is_none_or(|then| elapsed(then, now) >= SECONDS_UNTIL_REFRESH);
        match self.keys.as_ref().and_then(|keys| keys.find(algorithm, id)) {
            Some(_) | None if may_fetch && (is_old || !self.knows(algorithm, id)) => Found::Fetch,
            Some(key) => Found::Key(key),
            None if self.last_failed => Found::Unavailable,
            None => Found::Unknown,
        }
    }

    /// Takes the outcome of a fetch that began at `now`. A fetch that failed (`None`) leaves the keys as they are.
    pub fn fetched(&mut self, keys: Option<KeySet>, now: Timestamp) {
        self.asked_at = Some(now);
        self.last_failed = keys.is_none();
        if keys.is_some() {
            (self.keys, self.read_at) = (keys, Some(now));
        }
    }

    fn knows(&self, algorithm: Algorithm, id: &str) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.find(algorithm, id).is_some())
    }
}

/// Seconds between two times, whichever comes first: a clock that was put back must not stop all fetches.
fn elapsed(then: Timestamp, now: Timestamp) -> i64 {
    now.as_second().saturating_sub(then.as_second()).saturating_abs()
}
