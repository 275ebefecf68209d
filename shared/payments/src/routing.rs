//! Which gateway a payment goes to, and when.
//!
//! A token is only ever sent to the account that made it (`domain::Accounts`). Before a payment asks, it waits for its turn, and
//! does not ask a gateway that is down. Both are known to all environments, by one item for each gateway.

use std::sync::Arc;

use domain::{Account, Accounts, Breaker, ChargeOutcome, Clock, GatewayName, Order, PaymentRate, Provider, Timestamp, Verdict};
use store::{GatewayStates, SandboxBooks, StoreError};

use crate::{
    Http, Keys, PaymentGateway, Sandbox, SecretStore,
    paypal::{PaypalClient, PaypalGateway},
    stripe::{StripeClient, StripeGateway},
};

/// What gateways are made of.
pub struct Providers {
    /// The sandbox's books.
    pub books: SandboxBooks,
    /// Calls to providers.
    pub http: Http,
    /// The accounts' keys.
    pub secrets: Arc<dyn SecretStore>,
    /// Where Stripe is, such as `https://api.stripe.com`.
    pub stripe_url: String,
    /// Where PayPal is, such as `https://api-m.paypal.com`.
    pub paypal_url: String,
    /// The shop's page to which PayPal sends a shopper back.
    pub return_url: String,
    /// The time, for what expires at a provider.
    pub clock: Arc<dyn Clock>,
}

/// Whether a payment may ask its gateway now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Now,
    /// Not before this time: other payments come first.
    At(Timestamp),
    /// The gateway is down.
    Down,
}

/// The configured gateways, the preferred one first.
pub struct Gateways {
    accounts: Accounts,
    /// In the order of the accounts.
    all: Vec<Box<dyn PaymentGateway>>,
    states: GatewayStates,
    rate: Option<PaymentRate>,
    clock: Arc<dyn Clock>,
}

impl Gateways {
    /// A gateway for each account. `rate` limits the payments that ask one gateway; `None`: no limit.
    #[must_use]
    pub fn new(accounts: Accounts, providers: &Providers, states: GatewayStates, rate: Option<PaymentRate>) -> Self {
        let all = accounts.iter().map(|account| gateway(account, providers)).collect();
        Self { accounts, all, states, rate, clock: Arc::clone(&providers.clock) }
    }

    /// The gateways that take the token of an order, in the order in which they are asked. There is none when the account was
    /// taken out of the configuration, or no payment was ever requested.
    #[must_use]
    pub fn that_take(&self, order: &Order) -> Vec<&dyn PaymentGateway> {
        let Some(method) = &order.payment_method else { return Vec::new() };
        let names = self.accounts.that_take(method, &order.id, &order.accounts);
        names.into_iter().filter_map(|name| self.named(name)).collect()
    }

    /// The gateway called `name`.
    #[must_use]
    pub fn named(&self, name: &GatewayName) -> Option<&dyn PaymentGateway> {
        self.all.iter().find(|gateway| gateway.name() == name).map(AsRef::as_ref)
    }

    /// Whether a payment may ask `gateway` now. A payment that has waited for its turn does not ask for another one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn admit(&self, gateway: &dyn PaymentGateway, has_waited: bool) -> Result<Admission, StoreError> {
        let (name, now) = (gateway.name(), self.clock.now());
        let breaker = match self.rate {
            Some(rate) if !has_waited => {
                let (turn, breaker) = self.states.take_turn(name, rate, now).await?;
                if turn > now {
                    return Ok(Admission::At(turn));
                }
                breaker
            }
            Some(_) | None if gateway.is_one_service() => self.states.breaker(name).await?,
            Some(_) | None => Breaker::default(),
        };
        Ok(match breaker.verdict(now) {
            Verdict::Closed => Admission::Now,
            Verdict::Probe if self.states.replace_breaker(name, &breaker, &breaker.probed(now)).await? => Admission::Now,
            Verdict::Open | Verdict::Probe => Admission::Down,
        })
    }

    /// Tells all environments whether `gateway` is up, by the outcome of a charge. A store that does not answer does not matter:
    /// the next payment tells it again.
    pub async fn tell(&self, gateway: &dyn PaymentGateway, outcome: &ChargeOutcome) {
        if !gateway.is_one_service() {
            return;
        }
        let is_up = match outcome {
            ChargeOutcome::Unavailable | ChargeOutcome::Unknown => false,
            // It answers: a payment that has to come later is no failure.
            ChargeOutcome::Busy => return,
            ChargeOutcome::Authorised { .. }
            | ChargeOutcome::Charged { .. }
            | ChargeOutcome::Declined { .. }
            | ChargeOutcome::RequiresAction(_)
            | ChargeOutcome::Pending => true,
        };
        if let Err(error) = self.note(gateway.name(), is_up).await {
            tracing::warn!(gateway = %gateway.name(), error = %error, cause = ?error, "the state of a gateway was not written");
        }
    }

    async fn note(&self, name: &GatewayName, is_up: bool) -> Result<(), StoreError> {
        let before = self.states.breaker(name).await?;
        if is_up && before == Breaker::default() {
            return Ok(());
        }
        let now = self.clock.now();
        let after = if is_up { Breaker::default() } else { before.failed(now) };
        // Of two runs at once, one is counted.
        let written = self.states.replace_breaker(name, &before, &after).await?;
        if written && matches!(after.verdict(now), Verdict::Open) {
            tracing::error!(gateway = %name, failures = after.failures, "the gateway is down: payments do not ask it for a while");
        }
        Ok(())
    }
}

fn gateway(account: &Account, providers: &Providers) -> Box<dyn PaymentGateway> {
    let Providers { books, http, secrets, stripe_url, paypal_url, return_url, clock } = providers;
    let name = &account.name;
    match account.provider {
        Provider::Sandbox => Box::new(Sandbox::new(name.clone(), books.clone())),
        Provider::Stripe => {
            let client = StripeClient::new(http.clone(), stripe_url, Keys::new(name.clone(), Arc::clone(secrets)));
            Box::new(StripeGateway::new(name.clone(), client, Arc::clone(clock)))
        }
        Provider::Paypal => {
            let keys = Keys::new(name.clone(), Arc::clone(secrets));
            let client = PaypalClient::new(http.clone(), paypal_url, keys, Arc::clone(clock));
            let gateway = PaypalGateway::new(name.clone(), client, return_url.clone(), Arc::clone(clock));
            Box::new(if let Some(merchant) = &account.merchant_id { gateway.paying(merchant.clone()) } else { gateway })
        }
    }
}
