//! The interface to a payment gateway.

use std::fmt::Display;

use domain::{
    CaptureOutcome, ChargeOutcome, GatewayName, IdempotencyKey, Money, OrderId, PartOutcome, PaymentMethod, RefundOutcome,
    Timestamp,
};
use futures_util::future::BoxFuture;

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
    /// The provider's reference, once the attempt was authorised or charged.
    pub reference: Option<String>,
    /// When the attempt began, for providers that forget idempotency keys.
    pub began_at: Timestamp,
}

/// A part of a captured payment that is to go back, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its number among the refunds of the order, from 1. Another refund has another number.
    pub number: u32,
    /// What goes back: at most what was captured.
    pub amount: Money,
}

impl Part {
    /// Its idempotency key: one for one refund, in every retry.
    #[must_use]
    pub fn key(&self, of: &Payment) -> String {
        format!("{}-part-{}", of.key, self.number)
    }
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

/// The payment that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The order paid for.
    pub order: OrderId,
    /// The number of the attempt; `None`: the object belongs to the order, whatever the attempt.
    pub attempt: Option<u32>,
}

/// What a provider says of the object of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It belongs to this payment.
    Payment(About),
    /// It belongs to no payment of the shop, or to none that the gateway follows.
    Nothing,
    /// The provider did not answer.
    Unknown,
}

impl About {
    /// Reads the note that the gateway, or the shop's page, left at the provider: an attempt's key or an order's id.
    pub(crate) fn of(note: &str) -> Option<Self> {
        if let Ok(IdempotencyKey { order, attempt }) = note.parse() {
            return Some(Self { order, attempt: Some(attempt) });
        }
        Some(Self { order: note.parse().ok()?, attempt: None })
    }
}

/// A payment provider. Its methods return no errors: when a call gets no answer, the outcome is `Unknown`.
pub trait PaymentGateway: Send + Sync {
    /// The name under which the gateway is configured.
    fn name(&self) -> &GatewayName;

    /// Whether it is one service that is up or down for all payments, so that failures of some say something about the next. Of
    /// the sandbox they do not: each payment method has its own.
    fn is_one_service(&self) -> bool {
        true
    }

    /// Makes the payment known to the provider, and moves no money. The same payment has the same id.
    fn open<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, OpenOutcome>;

    /// Authorises the payment once, however often it is called. Charges it if its method cannot be authorised.
    fn charge<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome>;

    /// Returns the outcome of `charge`.
    fn look_up<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, LookUp>;

    /// Finds the payment that an event of the provider is about, by the provider's own word now and not by the event's. `kind`
    /// is the event's word for what happened, `object` the id of what changed.
    fn payment_of<'a>(&'a self, kind: &'a str, object: &'a str) -> BoxFuture<'a, Found>;

    /// Ends a payment that waits for its shopper's action: nothing that the shopper does later authorises it. Returns the
    /// outcome, which is `Authorised` or `Charged` if the shopper acted before.
    fn abandon<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome>;

    /// Captures an authorised payment, whole and once.
    fn capture<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, CaptureOutcome>;

    /// Undoes the payment: refunds a charge, once; voids an authorisation; if there is neither, makes sure that there
    /// never will be. The gateway reads which of these it is before it acts.
    fn refund<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, RefundOutcome>;

    /// Refunds a part of a captured payment, once, however often it is called. The caller sees to it that all parts together are
    /// no more than was captured.
    fn refund_part<'a>(&'a self, payment: &'a Payment, part: &'a Part) -> BoxFuture<'a, PartOutcome>;
}

/// An outcome that a gateway cannot always tell.
pub(crate) trait Uncertain {
    /// The caller has to ask again.
    const UNKNOWN: Self;
}

impl Uncertain for ChargeOutcome {
    const UNKNOWN: Self = Self::Unknown;
}

impl Uncertain for CaptureOutcome {
    const UNKNOWN: Self = Self::Unknown;
}

impl Uncertain for RefundOutcome {
    const UNKNOWN: Self = Self::Unknown;
}

impl Uncertain for PartOutcome {
    const UNKNOWN: Self = Self::Unknown;
}

/// What the object of an event says of its payment. `about` is what the provider answered; `is_gone` says of which errors it is
/// certain that the provider has no such object.
pub(crate) fn found<E: Display>(
    (gateway, kind, object): (&GatewayName, &str, &str),
    about: Result<Option<About>, E>,
    is_gone: impl Fn(&E) -> bool,
) -> Found {
    match about {
        Ok(about) => about.map_or(Found::Nothing, Found::Payment),
        Err(error) if is_gone(&error) => {
            tracing::warn!(%gateway, kind, object, %error, "an event of an object that is not there");
            Found::Nothing
        }
        Err(error) => {
            tracing::warn!(%gateway, kind, object, %error, "the provider did not say what changed");
            Found::Unknown
        }
    }
}
