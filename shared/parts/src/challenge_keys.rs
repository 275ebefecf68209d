//! The keys of challenges, from Secrets Manager. Every environment reads them again after five minutes, so that an operator can
//! replace them without a gap: docs/deploying.md says how.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{ChallengeKey, ChallengeKeys, Clock, SignedDuration, Timestamp};
use kit::Secrets;
use serde::Deserialize;

/// How long an environment uses the keys that it has read.
const CHALLENGE_KEYS_KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How long an environment without keys does not read again after a failure. Requests of strangers must not cost a read each.
const UNREAD_KEYS_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(1);
/// How long an environment goes on with the keys that it has, if it could not read them again.
const OLD_KEYS_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(20);
/// How long a request waits for newer keys, where there are older ones. It has units to claim afterwards.
const NEWER_KEYS_WITHIN: Duration = Duration::from_millis(300);
/// How long a request waits for the first keys.
const FIRST_KEYS_WITHIN: Duration = Duration::from_secs(2);

/// The secret with the keys of challenges.
pub struct ChallengeSecret {
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: Option<ChallengeKeys>,
    read_again_at: Option<Timestamp>,
}

// Unknown members are refused: a misspelt one would be a key that is not believed.
/// The secret's text. Every member has at least [`ChallengeKey::SHORTEST_SECRET`] bytes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// Signs new challenges.
    key: String,
    /// Only verify: the key before this one, or after it.
    #[serde(default)]
    accepted: Vec<String>,
}

impl ChallengeSecret {
    pub(crate) fn new(secrets: Secrets, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, clock, known: Mutex::default() }
    }

    /// The keys. After a failure, those that were read before. `None`: they could not be read yet; the log says why.
    pub async fn keys(&self) -> Option<ChallengeKeys> {
        let now = self.clock.now();
        let (older, within, again_after) = {
            let mut known = self.known();
            if known.read_again_at.is_some_and(|at| now < at) {
                return known.keys.clone();
            }
            let (within, again_after) = match known.keys {
                Some(_) => (NEWER_KEYS_WITHIN, OLD_KEYS_AGAIN_AFTER),
                None => (FIRST_KEYS_WITHIN, UNREAD_KEYS_AGAIN_AFTER),
            };
            // Before the read: the request may be cut off while it waits, and the next one must not wait, too.
            known.read_again_at = now.checked_add(again_after).ok();
            (known.keys.clone(), within, again_after)
        };
        let text = tokio::time::timeout(within, self.secrets.read("")).await.unwrap_or_else(|_| {
            tracing::error!(?within, "the secret of challenges was not read in time");
            None
        });
        let read = text.and_then(|text| parsed(&text));
        let mut known = self.known();
        let again_after = if read.is_some() { CHALLENGE_KEYS_KEPT_FOR } else { again_after };
        known.read_again_at = self.clock.now().checked_add(again_after).ok();
        if read.is_some() {
            known.keys = read;
            return known.keys.clone();
        }
        older
    }

    /// The lock is never held across an await.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parsed(text: &str) -> Option<ChallengeKeys> {
    let form: Option<Form> = serde_json::from_str(text).ok();
    let keys = form.and_then(|Form { key, accepted }| {
        let accepted: Option<Vec<ChallengeKey>> = accepted.iter().map(|secret| ChallengeKey::of(secret)).collect();
        Some(ChallengeKeys { signing: ChallengeKey::of(&key)?, accepted: accepted? })
    });
    if keys.is_none() {
        // Serde's message may quote the secret.
        let shortest = ChallengeKey::SHORTEST_SECRET;
        tracing::error!(
            shortest,
            "the secret of challenges is not an object with `key`, `accepted` and nothing else, each key of at least so many bytes"
        );
    }
    keys
}
