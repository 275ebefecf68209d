//! The keys of accounts at payment providers, as Secrets Manager has them.

use domain::GatewayName;
use futures_util::future::BoxFuture;
use kit::Secrets;
use payments::{Secret, SecretStore};

/// One secret for each account, called after it.
pub(crate) struct PaymentSecrets(pub(crate) Secrets);

impl SecretStore for PaymentSecrets {
    fn read<'a>(&'a self, account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(async move { self.0.read(&account.0).await.map(Secret::new) })
    }
}
