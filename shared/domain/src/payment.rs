//! Payment attempts and the outcomes of gateway calls.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Money, OrderId};

/// The text is not a payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payment method is a token '<provider>:<token>' of at most 255 printable characters; never send card data")]
pub struct PaymentMethodError;

/// A gateway's token for a way to pay, such as `sandbox:ok`. Never card data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentMethod(String);

impl PaymentMethod {
    /// The longest, in characters.
    pub const MAX_LENGTH: usize = 255;

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The provider that made the token, and the token as that provider knows it.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or((&self.0, ""))
    }
}

impl FromStr for PaymentMethod {
    type Err = PaymentMethodError;

    fn from_str(text: &str) -> Result<Self, PaymentMethodError> {
        let printable = text.len() <= Self::MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic());
        match text.split_once(':') {
            Some((provider, token)) if printable && !provider.is_empty() && !token.is_empty() => Ok(Self(text.to_owned())),
            Some(_) | None => Err(PaymentMethodError),
        }
    }
}

impl TryFrom<String> for PaymentMethod {
    type Error = PaymentMethodError;
    fn try_from(text: String) -> Result<Self, PaymentMethodError> {
        text.parse()
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> String {
        method.0
    }
}

/// The payment methods of the sandbox: each is one behaviour of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxMethod {
    /// Authorises, and captures.
    Ok,
    /// Cannot authorise: charges at once.
    ChargedAtOnce,
    /// Authorises; the answer to the first call is lost.
    AuthorisedButAnswerLost,
    /// Authorises; the capture is refused.
    CaptureRefused,
    /// Authorises, and captures; the answer to the first capture is lost.
    CapturedButAnswerLost,
    /// Declines.
    Declined,
    /// The first call ends in a time-out without a charge; the next one charges.
    TimeoutThenOk,
    /// Every gateway is down, certainly without a charge.
    Down,
    /// The first gateway is down; the standby charges.
    PrimaryDown,
    /// Each gateway is down until it has been called; its next call charges.
    DownAtFirst,
    /// Charges; the answer to the first call is lost.
    ChargedButAnswerLost,
    /// Charges another amount than requested, so that the order cannot be completed.
    WrongAmount,
    /// As `WrongAmount`, and the first refund fails.
    RefundFailsOnce,
    /// The shopper has to act, and does so at once.
    ActionPassed,
    /// The shopper has to act, and never does.
    ActionAbandoned,
    /// Charges; the answer to the first call for each refund by an operator is lost.
    RefundedButAnswerLost,
    /// Charges; refunds by operators are refused.
    RefundRefused,
}

impl SandboxMethod {
    /// Every method.
    pub const ALL: [Self; 17] = [
        Self::Ok,
        Self::ChargedAtOnce,
        Self::AuthorisedButAnswerLost,
        Self::CaptureRefused,
        Self::CapturedButAnswerLost,
        Self::Declined,
        Self::TimeoutThenOk,
        Self::Down,
        Self::PrimaryDown,
        Self::DownAtFirst,
        Self::ChargedButAnswerLost,
        Self::WrongAmount,
        Self::RefundFailsOnce,
        Self::ActionPassed,
        Self::ActionAbandoned,
        Self::RefundedButAnswerLost,
        Self::RefundRefused,
    ];
    /// How the methods of the sandbox begin.
    pub const PREFIX: &str = "sandbox:";

    /// The method of the sandbox that `method` is; `None` for any other, also for one that no version of the sandbox knows.
    #[must_use]
    pub fn of(method: &PaymentMethod) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == method.as_str())
    }

    /// The method as a client sends it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "sandbox:ok",
            Self::ChargedAtOnce => "sandbox:charged-at-once",
            Self::AuthorisedButAnswerLost => "sandbox:authorised-but-answer-lost",
            Self::CaptureRefused => "sandbox:capture-refused",
            Self::CapturedButAnswerLost => "sandbox:captured-but-answer-lost",
            Self::Declined => "sandbox:declined",
            Self::TimeoutThenOk => "sandbox:timeout-then-ok",
            Self::Down => "sandbox:down",
            Self::PrimaryDown => "sandbox:primary-down",
            Self::DownAtFirst => "sandbox:down-at-first",
            Self::ChargedButAnswerLost => "sandbox:charged-but-answer-lost",
            Self::WrongAmount => "sandbox:wrong-amount",
            Self::RefundFailsOnce => "sandbox:refund-fails-once",
            Self::ActionPassed => "sandbox:action-passed",
            Self::ActionAbandoned => "sandbox:action-abandoned",
            Self::RefundedButAnswerLost => "sandbox:refunded-but-answer-lost",
            Self::RefundRefused => "sandbox:refund-refused",
        }
    }
}

/// The name of a configured gateway, such as `sandbox`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GatewayName(pub String);

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies a charge: one key for one attempt to pay one order, on every gateway and in every retry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// The order paid for.
    pub order: OrderId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is the id of an order and the number of an attempt, joined by a hyphen")]
pub struct IdempotencyKeyError;

impl FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;

    fn from_str(text: &str) -> Result<Self, IdempotencyKeyError> {
        let (order, attempt) = text.rsplit_once('-').ok_or(IdempotencyKeyError)?;
        let attempt = attempt.parse().map_err(|_| IdempotencyKeyError)?;
        Ok(Self { order: order.parse().map_err(|_| IdempotencyKeyError)?, attempt })
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.order, self.attempt)
    }
}

/// What a shopper has to do before a payment can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open this page of the provider, from which the shopper comes back to the shop.
    Redirect {
        /// The URL of the provider's page.
        url: String,
    },
    /// Have Stripe's library handle the next action of an intent, such as 3-D Secure.
    Stripe {
        /// Lets the library read the intent. It belongs to the shopper alone.
        client_secret: String,
    },
}

/// A payment that waits for its shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What the shopper has to do.
    pub action: Action,
    /// The end of the time for it; a whole second.
    pub until: Timestamp,
    /// By this the saga's execution is told that something has changed; `None` before it waits.
    pub task_token: Option<String>,
}

/// The outcome of asking a gateway to authorise or charge, or of looking that up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money is reserved for the shop and has not moved. A capture moves it.
    Authorised {
        /// The gateway's own reference: the transaction id that a shopper sees.
        reference: String,
    },
    /// The money moved.
    Charged {
        /// The gateway's own reference: the transaction id that a shopper sees.
        reference: String,
        /// The amount that the gateway says it charged.
        confirmed: Money,
    },
    /// The payment method was refused; no money moved. Another method may work.
    Declined {
        /// The reason, for the shopper.
        reason: String,
    },
    /// Nothing is authorised or charged before the shopper has acted.
    RequiresAction(Action),
    /// The gateway has not decided yet. The caller must look the key up later.
    Pending,
    /// The gateway takes no more requests for now: this call certainly had no effect, and a later one may have.
    Busy,
    /// The gateway is down: it certainly has not charged for this call, and never will. This says nothing about other
    /// calls with the same key. Another gateway may be tried if there are no other calls.
    Unavailable,
    /// The outcome is unknown. The caller must look the key up before it tries anything else.
    Unknown,
}

/// The outcome of asking a gateway to capture an authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureOutcome {
    /// The money moved, now or before.
    Captured {
        /// The amount that the gateway says it captured.
        confirmed: Money,
    },
    /// The gateway certainly has not captured, and refuses to: the authorisation has expired, or is void.
    Refused {
        /// The reason, for operators.
        reason: String,
    },
    /// The outcome is unknown. The caller must ask again.
    Unknown,
}

/// The outcome of asking a gateway to refund a charge, or to void an authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money was refunded, now or before.
    Refunded,
    /// Nothing is charged or authorised under the key, and nothing ever will be.
    Voided,
    /// The outcome is unknown. The caller must request the refund again.
    Unknown,
}

/// The outcome of asking a gateway to refund an amount of a captured payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartOutcome {
    /// The amount was refunded, now or before.
    Refunded,
    /// The gateway certainly has not refunded the amount, and refuses to.
    Refused {
        /// The reason, for operators.
        reason: String,
    },
    /// The outcome is unknown. The caller must ask again.
    Unknown,
}

/// The status of an attempt at its gateway.
///
/// A charge is either kept or refunded, and the first run that writes its decision wins. Keeping is written in one
/// transaction with the order that it completes. Refunding is written before the gateway is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// The gateway may or may not have authorised or charged.
    Started,
    /// Authorised: the money is reserved, and moves once the units are sold. A run may be capturing it.
    Authorised,
    /// Charged, or captured. No run has decided yet whether it is kept.
    Charged,
    /// Charged, and belongs to a completed order. Final.
    Kept,
    /// To be refunded if it was charged, to be voided if it was authorised, and never to be charged if it was neither. The
    /// gateway has not confirmed it. The charge can no longer be kept.
    Refunding,
    /// Declined; nothing charged.
    Declined,
    /// The gateway was asked once, and was down; certainly nothing charged.
    Unavailable,
    /// Declined or unavailable, and its order waits for another attempt. Final.
    GivenUp,
    /// Charged, and refunded.
    Refunded,
    /// Nothing is charged or authorised, and nothing ever will be.
    Voided,
}

impl AttemptStatus {
    /// Every status.
    pub const ALL: [Self; 10] = [
        Self::Started,
        Self::Authorised,
        Self::Charged,
        Self::Kept,
        Self::Refunding,
        Self::Declined,
        Self::Unavailable,
        Self::GivenUp,
        Self::Refunded,
        Self::Voided,
    ];

    /// Whether the money has moved, and no run has decided that it goes back.
    #[must_use]
    pub fn is_charged(self) -> bool {
        match self {
            Self::Charged | Self::Kept => true,
            Self::Started
            | Self::Authorised
            | Self::Refunding
            | Self::Declined
            | Self::Unavailable
            | Self::GivenUp
            | Self::Refunded
            | Self::Voided => false,
        }
    }
}

/// What was decided about money that came after its attempt had ended. The first run that writes its decision wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LateMoney {
    /// The gateway refunds it.
    GoesBack,
    /// It pays for units that were claimed again, by this attempt of the order.
    PaysBy(u32),
}

/// One attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its identity, by which the gateway recognises a repetition.
    pub key: IdempotencyKey,
    /// The gateway that was asked last.
    pub gateway: GatewayName,
    /// Its status at this gateway.
    pub status: AttemptStatus,
    /// A second run may have asked this gateway, or may be about to ask. So when the gateway is down for one run, it
    /// may still charge for another. Never reset at the same gateway.
    pub asked_again: bool,
    /// The provider's own id of the payment. It is stored before the provider can move money, so that every later run reads
    /// the outcome by it. `None`: the gateway has no such id, or has not been asked for one.
    pub provider_id: Option<String>,
    /// What its shopper has to do before the gateway authorises it; only while it is [`AttemptStatus::Started`].
    pub waiting: Option<Waiting>,
    /// The gateway's reference, once authorised or charged.
    pub reference: Option<String>,
    /// The amount that the gateway says it charged.
    pub confirmed: Option<Money>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// The attempt that opened the payment at the provider, if it was another one: the late money of that attempt pays by this one.
    pub opened_by: Option<u32>,
    /// What was decided about its late money, if any came.
    pub late_money: Option<LateMoney>,
}

impl Attempt {
    /// The key by which the provider knows the payment.
    #[must_use]
    pub fn provider_key(&self) -> IdempotencyKey {
        IdempotencyKey { order: self.key.order.clone(), attempt: self.opened_by.unwrap_or(self.key.attempt) }
    }

    /// The order's attempt `number`, which is to use the late money of this one. Another run may have asked the gateway before it.
    #[must_use]
    pub fn paid_late_by(&self, number: u32) -> Self {
        let key = IdempotencyKey { attempt: number, ..self.key.clone() };
        Self {
            asked_again: true,
            provider_id: self.provider_id.clone(),
            opened_by: Some(self.provider_key().attempt),
            ..Self::started(key, self.gateway.clone())
        }
    }

    /// An attempt that is about to ask `gateway` for the first time.
    #[must_use]
    pub fn started(key: IdempotencyKey, gateway: GatewayName) -> Self {
        Self {
            key,
            gateway,
            status: AttemptStatus::Started,
            asked_again: false,
            provider_id: None,
            waiting: None,
            reference: None,
            confirmed: None,
            reason: None,
            opened_by: None,
            late_money: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_an_order_alone_is_none() {
        for order in ["demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "a-1-2.01JD3V3Z5T8Q6W7X9Y0A1B2C3D"] {
            let key = IdempotencyKey { order: order.parse().unwrap(), attempt: 12 };
            assert_eq!(key.to_string().parse(), Ok(key));
            assert_eq!(order.parse::<IdempotencyKey>(), Err(IdempotencyKeyError), "{order}");
        }
        for text in ["", "-", "-1", "demo-1", "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-", "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-x"] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(IdempotencyKeyError), "{text}");
        }
    }

    #[test]
    fn an_attempt_that_uses_late_money_keeps_the_key_by_which_the_provider_knows_it() {
        let key = |attempt| IdempotencyKey { order: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(), attempt };
        let first = Attempt { provider_id: Some("pi_1".into()), ..Attempt::started(key(1), GatewayName("stripe".into())) };
        let (second, third) = (first.paid_late_by(2), first.paid_late_by(2).paid_late_by(3));
        assert_eq!((first.provider_key(), second.provider_key(), third.provider_key()), (key(1), key(1), key(1)));
        assert_eq!((&second.key, &third.key, third.status), (&key(2), &key(3), AttemptStatus::Started));
        assert!(second.provider_id == first.provider_id && second.asked_again && second.gateway == first.gateway);
    }

    #[test]
    fn a_payment_method_names_its_provider() {
        for good in ["sandbox:ok", "stripe:pm_1MqLiJLkdIwHu7ix", "a:b:c"] {
            assert!(good.parse::<PaymentMethod>().is_ok(), "{good}");
        }
        for bad in ["", "ok", ":ok", "sandbox:", "sandbox: ok", "sandbox:\u{e9}", &format!("a:{}", "x".repeat(255))] {
            assert_eq!(bad.parse::<PaymentMethod>(), Err(PaymentMethodError), "{bad}");
        }
    }
}
