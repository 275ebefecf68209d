//! The interface to a payment gateway, and the configured gateways in order of preference.

use domain::{CaptureOutcome, ChargeOutcome, GatewayName, IdempotencyKey, Money, PaymentMethod, RefundOutcome, Timestamp};
use futures_util::future::BoxFuture;
use store::SandboxBooks;

use crate::Sandbox;

/// A payment, as a gateway has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its identity: one key for one attempt, on every gateway and in every retry.
    pub key: IdempotencyKey,
    /// The amount to be charged.
    pub amount: Money,
    /// The shopper's token for a way to pay.
    pub method: PaymentMethod,
    /// The provider's own id, once the attempt contains it.
    pub provider_id: Option<String>,
    /// When the attempt began, for providers that forget idempotency keys.
    pub began_at: Timestamp,
}

/// The outcome of making a payment known to its gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenOutcome {
    /// The gateway knows the payment by its idempotency key alone.
    ByKey,
    /// The provider's own id. The caller stores it before it asks for the charge.
    ById(String),
    /// The payment cannot be opened, with the reason as of a charge. No money can move for it.
    Not(ChargeOutcome),
}

/// The outcome of looking up a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// The gateway knows the outcome of the charge.
    Found(ChargeOutcome),
    /// Nothing was authorised or charged; asking for it now is safe.
    NotFound,
    /// The gateway did not answer.
    Unknown,
}

/// A payment provider. Its methods return no errors: when a call gets no answer, the outcome is `Unknown`.
pub trait PaymentGateway: Send + Sync {
    /// The name under which the gateway is configured.
    fn name(&self) -> &GatewayName;

    /// Makes the payment known to the provider, and moves no money. The same payment has the same id.
    fn open<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, OpenOutcome>;

    /// Authorises the payment once, however often it is called. Charges it if its method cannot be authorised.
    fn charge<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome>;

    /// Returns the outcome of `charge`.
    fn look_up<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, LookUp>;

    /// Captures an authorised payment, whole and once.
    fn capture<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, CaptureOutcome>;

    /// Undoes the payment: refunds a charge, once; voids an authorisation; if there is neither, makes sure that there
    /// never will be. The gateway reads which of these it is before it acts.
    fn refund<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, RefundOutcome>;
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
