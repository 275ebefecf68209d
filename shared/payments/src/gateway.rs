//! What the saga needs of a payment gateway, and the configured ones in order of preference.

use domain::{ChargeOutcome, GatewayName, IdempotencyKey, Money, PaymentMethod, RefundOutcome};
use futures_util::future::BoxFuture;
use store::SandboxBooks;

use crate::Sandbox;

/// What came of looking a key up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// The gateway knows what became of it.
    Found(ChargeOutcome),
    /// Nothing was charged under this key; charging it now is safe.
    NotFound,
    /// The gateway did not answer.
    Unknown,
}

/// A payment provider. None of its answers is an error: what did not get an answer is `Unknown`.
pub trait PaymentGateway: Send + Sync {
    /// The name it is configured by.
    fn name(&self) -> &GatewayName;

    /// Charges `amount` once, however often it is asked with the same `key`.
    fn charge<'a>(&'a self, key: &'a IdempotencyKey, amount: Money, method: &'a PaymentMethod) -> BoxFuture<'a, ChargeOutcome>;

    /// Says what became of a charge.
    fn look_up<'a>(&'a self, key: &'a IdempotencyKey) -> BoxFuture<'a, LookUp>;

    /// Gives back what was charged under `key`, once, or makes sure that nothing ever is.
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
    /// Builds the gateways that `names` list. The sandbox charges nobody, so `with_sandbox` is false in production.
    ///
    /// # Errors
    /// Names the first one that does not exist.
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

    /// The gateway called `name` and its index.
    #[must_use]
    pub fn named(&self, name: &GatewayName) -> Option<(usize, &dyn PaymentGateway)> {
        self.0.iter().enumerate().find(|(_, gateway)| gateway.name() == name).map(|(index, gateway)| (index, gateway.as_ref()))
    }
}
