//! The interface to a payment gateway, and the configured gateways in order of preference.

use domain::{ChargeOutcome, GatewayName, IdempotencyKey, Money, PaymentMethod, RefundOutcome};
use futures_util::future::BoxFuture;
use store::SandboxBooks;

use crate::Sandbox;

/// The outcome of looking up a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// The gateway knows the outcome of the charge.
    Found(ChargeOutcome),
    /// Nothing was charged under this key; charging it now is safe.
    NotFound,
    /// The gateway did not answer.
    Unknown,
}

/// A payment provider. Its methods return no errors: when a call gets no answer, the outcome is `Unknown`.
pub trait PaymentGateway: Send + Sync {
    /// The name under which the gateway is configured.
    fn name(&self) -> &GatewayName;

    /// Charges `amount` once, however often it is called with the same `key`.
    fn charge<'a>(&'a self, key: &'a IdempotencyKey, amount: Money, method: &'a PaymentMethod) -> BoxFuture<'a, ChargeOutcome>;

    /// Returns the outcome of a charge.
    fn look_up<'a>(&'a self, key: &'a IdempotencyKey) -> BoxFuture<'a, LookUp>;

    /// Refunds the charge under `key`, once. If there is none, makes sure that there never will be.
    fn refund<'a>(&'a self, key: &'a IdempotencyKey) -> BoxFuture<'a, RefundOutcome>;
}

/// A configured name that no gateway has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no payment gateway {0:?}; known are names that start with \"sandbox\", outside of prod")]
pub struct UnknownGateway(pub String);

/// The configured gateways, the preferred one first.
#[derive(Default)]
pub struct Gateways(Vec<Box<dyn PaymentGateway>>);

impl Gateways {
    /// Builds the gateways that `names` lists. `with_sandbox` is false in production, because the sandbox moves no
    /// money.
    ///
    /// # Errors
    /// Names the first gateway that does not exist.
    pub fn configured(names: &[String], with_sandbox: bool, books: &SandboxBooks) -> Result<Self, UnknownGateway> {
        let gateway = |name: &String| -> Result<Box<dyn PaymentGateway>, UnknownGateway> {
            if with_sandbox && name.starts_with("sandbox") {
                return Ok(Box::new(Sandbox::new(GatewayName(name.clone()), books.clone())));
            }
            Err(UnknownGateway(name.clone()))
        };
        names.iter().map(gateway).collect::<Result<_, _>>().map(Self)
    }

    /// The gateway at `index`, in order of preference.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&dyn PaymentGateway> {
        self.0.get(index).map(AsRef::as_ref)
    }

    /// The gateway called `name`, with its index.
    #[must_use]
    pub fn named(&self, name: &GatewayName) -> Option<(usize, &dyn PaymentGateway)> {
        self.0.iter().enumerate().find(|(_, gateway)| gateway.name() == name).map(|(index, gateway)| (index, gateway.as_ref()))
    }
}
