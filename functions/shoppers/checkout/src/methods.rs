//! The ways to pay that can be used now.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{Accounts, Breaker, Clock, GatewayName, Memory, OrderId, PaymentMethod, Provider, Verdict};
use parts::{FromParts, Parts};
use store::GatewayStates;

/// No account takes this payment method now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment method cannot be used now")]
pub struct MethodUnavailable {
    /// The providers whose tokens can be used now.
    pub methods: Vec<Provider>,
}

/// The shop's accounts, and which of their gateways are up.
pub struct PaymentMethods {
    clock: Arc<dyn Clock>,
    accounts: Accounts,
    states: GatewayStates,
    /// Read at most once a second.
    known: Mutex<Memory<GatewayName, Breaker>>,
}

impl FromParts for PaymentMethods {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), accounts: parts.accounts(), states: parts.gateway_states(), known: Mutex::default() }
    }
}

impl PaymentMethods {
    /// The shop's accounts.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Whether any account takes `method`, whatever the order.
    ///
    /// # Errors
    /// [`MethodUnavailable`].
    pub fn know(&self, method: &PaymentMethod) -> Result<(), MethodUnavailable> {
        if self.accounts.take(method) { Ok(()) } else { Err(MethodUnavailable { methods: self.accounts.providers() }) }
    }

    /// Whether the account that was chosen for an order takes `method` now. It does not while its gateway is down. The sandbox
    /// always does: it is down for single methods only.
    ///
    /// # Errors
    /// [`MethodUnavailable`].
    pub async fn check(&self, method: &PaymentMethod, id: &OrderId, chosen: &[GatewayName]) -> Result<(), MethodUnavailable> {
        let options = self.accounts.options(id, chosen);
        let provider = Provider::of(method);
        let asked_for = options.iter().find(|account| Some(account.provider) == provider);
        if let Some(account) = asked_for
            && (account.provider == Provider::Sandbox || self.is_up(&account.name).await)
        {
            return Ok(());
        }
        let mut methods = Vec::new();
        for account in options.iter().filter(|account| Some(account.provider) != provider) {
            if account.provider == Provider::Sandbox || self.is_up(&account.name).await {
                methods.push(account.provider);
            }
        }
        Err(MethodUnavailable { methods })
    }

    /// Whether a gateway is up. One whose state cannot be read counts as up: the saga finds out.
    async fn is_up(&self, gateway: &GatewayName) -> bool {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).recall(gateway, now).copied();
        let breaker = match known {
            Some(breaker) => breaker,
            None => match self.states.breaker(gateway).await {
                Ok(breaker) => {
                    self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(gateway.clone(), breaker, now);
                    breaker
                }
                Err(error) => {
                    tracing::warn!(%gateway, cause = kit::chain(&error), "the state of a gateway could not be read");
                    return true;
                }
            },
        };
        breaker.verdict(now) != Verdict::Open
    }
}
