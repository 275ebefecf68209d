//! The keys of a provider's account: read when they are needed first, kept, and read again when the provider refuses them. So a
//! key can be replaced while functions run: each environment changes to the new key at the first refusal of the old one.

use std::{fmt, sync::Arc, time::Duration};

use domain::GatewayName;
use futures_util::future::{self, BoxFuture};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{sync::Mutex, time::Instant};

use crate::http::Secret;

/// How long refused keys are not read again. A wrong key in the store must not cost a read for each payment.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// How long keys that could not be read are not read again. Requests of strangers must not cost a read each.
const FAILED_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The store of the accounts' keys.
pub trait SecretStore: Send + Sync {
    /// The secret of an account as JSON text; `None` if there is none or the store does not answer, which the implementation
    /// logs.
    fn read<'a>(&'a self, account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>>;
}

/// The keys of an account at Stripe.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct StripeKeys {
    /// `sk_…` or, better, a restricted key `rk_…`.
    pub secret_key: Secret,
    /// The secrets of the webhook endpoint, `whsec_…`: two while one is being replaced.
    #[serde(default)]
    pub webhook_secrets: Vec<Secret>,
}

/// The keys of an account at PayPal.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct PaypalKeys {
    /// The app's client id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
    /// The id of the webhook, which PayPal signs with each event.
    #[serde(default)]
    pub webhook_id: Option<String>,
}

/// There are no keys to call the provider with. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account's keys could not be read")]
pub struct NoKeys;

/// The keys of one account, of the form `K`.
pub struct Keys<K> {
    account: GatewayName,
    store: Arc<dyn SecretStore>,
    known: Mutex<LastRead<K>>,
}

/// What the last read found.
enum LastRead<K> {
    NotRead,
    Failed { at: Instant },
    Known(Known<K>),
}

struct Known<K> {
    keys: K,
    read_at: Instant,
}

impl<K> fmt::Debug for Keys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.account)
    }
}

impl<K: DeserializeOwned + Clone + PartialEq> Keys<K> {
    /// The keys of `account`, not read yet.
    #[must_use]
    pub fn new(account: GatewayName, store: Arc<dyn SecretStore>) -> Self {
        Self { account, store, known: Mutex::new(LastRead::NotRead) }
    }

    /// These keys, which no store replaces.
    #[must_use]
    pub fn fixed(account: GatewayName, keys: K) -> Self {
        let known = Mutex::new(LastRead::Known(Known { keys, read_at: Instant::now() }));
        Self { account, store: Arc::new(NoStore), known }
    }

    /// The account whose keys these are.
    #[must_use]
    pub fn account(&self) -> &GatewayName {
        &self.account
    }

    /// The keys, read once.
    ///
    /// # Errors
    /// When there are none, or the store does not answer.
    pub async fn current(&self) -> Result<K, NoKeys> {
        let mut known = self.known.lock().await;
        match &*known {
            LastRead::Known(Known { keys, .. }) => return Ok(keys.clone()),
            LastRead::Failed { at } if at.elapsed() < FAILED_AGAIN_AFTER => return Err(NoKeys),
            LastRead::NotRead | LastRead::Failed { .. } => {}
        }
        let read = self.read().await;
        *known = match &read {
            Ok(keys) => LastRead::Known(Known { keys: keys.clone(), read_at: Instant::now() }),
            Err(NoKeys) => LastRead::Failed { at: Instant::now() },
        };
        read
    }

    /// Other keys than these, which the provider refused; `None` if the store has no others.
    pub async fn instead_of(&self, refused: &K) -> Option<K> {
        let mut known = self.known.lock().await;
        if let LastRead::Known(Known { keys, read_at }) = &*known {
            if keys != refused {
                return Some(keys.clone());
            }
            if read_at.elapsed() < READ_AGAIN_AFTER {
                return None;
            }
        }
        let keys = self.read().await.ok()?;
        *known = LastRead::Known(Known { keys: keys.clone(), read_at: Instant::now() });
        Some(keys).filter(|keys| keys != refused)
    }

    async fn read(&self) -> Result<K, NoKeys> {
        let secret = self.store.read(&self.account).await.ok_or(NoKeys)?;
        serde_json::from_str(secret.expose()).map_err(|error| {
            // Serde's message may quote the secret; its class and place do not.
            let (class, line, column) = (error.classify(), error.line(), error.column());
            tracing::error!(account = %self.account, ?class, line, column, "the account's secret does not have the form of its keys");
            NoKeys
        })
    }
}

/// Contains nothing.
struct NoStore;

impl SecretStore for NoStore {
    fn read<'a>(&'a self, _account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(future::ready(None))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use super::*;

    /// A store with one secret, which counts how often it is read.
    struct Store(StdMutex<(Option<&'static str>, u32)>);

    impl SecretStore for Store {
        fn read<'a>(&'a self, _account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
            let mut inside = self.0.lock().unwrap();
            inside.1 += 1;
            Box::pin(future::ready(inside.0.map(|text| Secret::new(text.to_owned()))))
        }
    }

    const OLD: &str = r#"{"secret_key": "sk_old", "webhook_secrets": ["whsec_1"], "note": "kept by the shop"}"#;
    const NEW: &str = r#"{"secret_key": "sk_new"}"#;

    fn keys(secret: Option<&'static str>) -> (Arc<Store>, Keys<StripeKeys>) {
        let store = Arc::new(Store(StdMutex::new((secret, 0))));
        (Arc::clone(&store), Keys::new(GatewayName("stripe".to_owned()), store))
    }

    #[tokio::test]
    async fn keys_are_read_once() {
        let (store, keys) = keys(Some(OLD));
        for _ in 0..3 {
            assert_eq!(keys.current().await.unwrap().secret_key.expose(), "sk_old");
        }
        assert_eq!(store.0.lock().unwrap().1, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_a_replaced_key_is_read_and_used() {
        let (store, keys) = keys(Some(OLD));
        let old = keys.current().await.unwrap();
        store.0.lock().unwrap().0 = Some(NEW);
        assert!(keys.instead_of(&old).await.is_none(), "not again within ten seconds");
        tokio::time::advance(READ_AGAIN_AFTER).await;
        assert_eq!(keys.instead_of(&old).await.unwrap().secret_key.expose(), "sk_new");
        // Another call was refused with the old key before it was replaced.
        assert_eq!(keys.instead_of(&old).await.unwrap().secret_key.expose(), "sk_new");
        assert_eq!((keys.current().await.unwrap().secret_key.expose(), store.0.lock().unwrap().1), ("sk_new", 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_key_does_not_cost_a_read_for_each_payment() {
        let (store, keys) = keys(Some(OLD));
        let old = keys.current().await.unwrap();
        tokio::time::advance(READ_AGAIN_AFTER).await;
        for _ in 0..5 {
            assert!(keys.instead_of(&old).await.is_none());
        }
        assert_eq!(store.0.lock().unwrap().1, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_is_missing_or_has_another_form_is_no_key_and_is_asked_for_again() {
        for secret in [None, Some(""), Some("sk_live_1"), Some("{}"), Some(r#"{"secret_key": 1}"#)] {
            let (store, keys) = keys(secret);
            for _ in 0..5 {
                assert!(keys.current().await.is_err());
            }
            assert_eq!(store.0.lock().unwrap().1, 1, "not a read for each call");
            store.0.lock().unwrap().0 = Some(NEW);
            tokio::time::advance(FAILED_AGAIN_AFTER).await;
            assert!(keys.current().await.is_ok(), "the shop has repaired it");
        }
    }
}
