//! Which account a request comes from: the one whose keys its signature fits.

use std::error::Error;

use domain::GatewayName;
use payments::{Keys, NoKeys};
use serde::de::DeserializeOwned;

/// Why a request is not taken for an event.
#[derive(Debug)]
pub enum Refusal {
    /// It is not, or not certainly, from the provider, or cannot be read. The reason is for the log: it would help a forger.
    Forever(Box<dyn Error + Send + Sync>),
    /// Something is missing to verify it. The provider should deliver it again.
    Later(Box<dyn Error + Send + Sync>),
}

/// Why no account is known that signed a request.
#[derive(Debug)]
pub enum UnknownSender {
    /// The keys of every account were read, and none fits.
    NoKeysFit,
    /// No keys fit, and some could not be read.
    NoKeys(NoKeys),
}

impl UnknownSender {
    /// The refusal of the request: for good, because of `unfit`, if the keys of every account were read.
    #[must_use]
    pub fn refusal(self, unfit: impl Error + Send + Sync + 'static) -> Refusal {
        match self {
            Self::NoKeysFit => Refusal::of(unfit),
            Self::NoKeys(error) => Refusal::for_now(error),
        }
    }
}

impl Refusal {
    /// A refusal for good, because of `error`.
    #[must_use]
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Forever(Box::new(error))
    }

    /// A refusal for now, because of `error`.
    #[must_use]
    pub fn for_now(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Later(Box::new(error))
    }
}

/// Finds the account whose keys fit. `fits` returns nothing if the signature was not made with these keys, else what the request
/// says. If no keys fit, they are read again: a key may have been replaced meanwhile. Then the newer keys are tried.
///
/// # Errors
/// When no keys fit.
pub async fn sender<K, T>(accounts: &[Keys<K>], fits: impl Fn(&K) -> Option<T>) -> Result<(GatewayName, T), UnknownSender>
where
    K: DeserializeOwned + Clone + PartialEq,
{
    let (mut refused, mut unread) = (Vec::new(), None);
    for account in accounts {
        match account.current().await {
            Ok(keys) => match fits(&keys) {
                Some(said) => return Ok((account.account().clone(), said)),
                None => refused.push((account, keys)),
            },
            Err(error) => unread = Some(error),
        }
    }
    for (account, keys) in refused {
        let newer = account.instead_of(&keys).await;
        if let Some(said) = newer.and_then(|keys| fits(&keys)) {
            return Ok((account.account().clone(), said));
        }
    }
    Err(unread.map_or(UnknownSender::NoKeysFit, UnknownSender::NoKeys))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
        time::Duration,
    };

    use futures_util::future::{self, BoxFuture};
    use payments::{Secret, SecretStore};

    use super::*;

    /// The keys of accounts by their names. Counts how often they are read.
    #[derive(Default)]
    struct Store(Mutex<(BTreeMap<String, String>, usize)>);

    impl SecretStore for Store {
        fn read<'a>(&'a self, account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
            let mut inside = self.0.lock().unwrap();
            inside.1 += 1;
            Box::pin(future::ready(inside.0.get(&account.0).map(|text| Secret::new(format!("{text:?}")))))
        }
    }

    impl Store {
        fn put(&self, account: &str, key: &str) {
            self.0.lock().unwrap().0.insert(account.to_owned(), key.to_owned());
        }

        fn reads(&self) -> usize {
            self.0.lock().unwrap().1
        }
    }

    fn world(keys: &[(&str, &str)]) -> (Arc<Store>, Vec<Keys<String>>) {
        let store = Arc::new(Store::default());
        for (account, key) in keys {
            store.put(account, key);
        }
        let of = |name: &str| Keys::new(GatewayName(name.to_owned()), Arc::clone(&store) as Arc<dyn SecretStore>);
        let accounts = ["one", "two"].map(of).into();
        (store, accounts)
    }

    /// The account whose key is `wanted`.
    async fn found(accounts: &[Keys<String>], wanted: &str) -> Result<String, String> {
        let sender = sender(accounts, |key| (key == wanted).then_some(())).await;
        sender.map(|(account, ())| account.0).map_err(|unknown| format!("{unknown:?}"))
    }

    #[tokio::test(start_paused = true)]
    async fn the_account_is_the_one_whose_keys_fit() {
        let (store, accounts) = world(&[("one", "a"), ("two", "b")]);
        assert_eq!(found(&accounts, "a").await.unwrap(), "one");
        assert_eq!(store.reads(), 1, "the second account need not be asked");
        assert_eq!(found(&accounts, "b").await.unwrap(), "two");
        assert_eq!(found(&accounts, "c").await.unwrap_err(), "NoKeysFit");
        assert_eq!(store.reads(), 2, "they were read a moment ago");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_was_replaced_is_read_again_and_fits() {
        let (store, accounts) = world(&[("one", "a"), ("two", "b")]);
        assert_eq!(found(&accounts, "b").await.unwrap(), "two");
        store.put("two", "c");
        assert_eq!(found(&accounts, "c").await.unwrap_err(), "NoKeysFit", "not again within ten seconds");
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(found(&accounts, "c").await.unwrap(), "two");
        assert_eq!(found(&accounts, "b").await.unwrap_err(), "NoKeysFit", "the old key is worth nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn forgeries_do_not_cost_a_read_each() {
        let (store, accounts) = world(&[("one", "a"), ("two", "b")]);
        for _ in 0..50 {
            found(&accounts, "forged").await.unwrap_err();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(store.reads() <= 2 * 6, "{}", store.reads());
    }

    #[tokio::test]
    async fn keys_that_cannot_be_read_leave_the_sender_open() {
        let (_, accounts) = world(&[("two", "b")]);
        assert_eq!(found(&accounts, "b").await.unwrap(), "two", "the other account's keys fit");
        assert_eq!(found(&accounts, "a").await.unwrap_err(), "NoKeys(NoKeys)");
        assert_eq!(found(&[], "a").await.unwrap_err(), "NoKeysFit");
    }
}
