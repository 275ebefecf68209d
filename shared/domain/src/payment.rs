//! What a payment gateway can answer, in the only distinctions that matter for money.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Money, OrderId};

/// Not a payment method.
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

/// The name of a configured gateway, such as `sandbox`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GatewayName(pub String);

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes a charge the same charge: one key for one attempt to pay one order, on every gateway and in every retry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// The order paid for.
    pub order: OrderId,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.order, self.attempt)
    }
}

/// What came of asking a gateway to charge, or of looking a charge up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money moved.
    Charged {
        /// The gateway's own reference: the transaction id that a shopper sees.
        reference: String,
        /// What the gateway says it charged.
        confirmed: Money,
    },
    /// The payment method was refused; no money moved. Another method may work.
    Declined {
        /// For the shopper.
        reason: String,
    },
    /// The gateway is down and certainly has not charged for this call, nor will it. Of other calls with the same key it says
    /// nothing: another gateway may be tried when there are none.
    Unavailable,
    /// The outcome is unknown. The key must be looked up before anything else is tried.
    Unknown,
}

/// What came of asking a gateway to give the money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money went back, now or before.
    Refunded,
    /// Nothing had been charged under the key, and nothing can be any more.
    Voided,
    /// The outcome is unknown. The refund must be asked for again.
    Unknown,
}

/// Where one attempt to pay stands at the gateway named with it.
///
/// What is charged goes one of two ways, and whoever writes it down first decides: it is kept, in one transaction with the
/// order that it completes, or it is given back, which is written down before the gateway is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// The gateway may or may not have charged.
    Started,
    /// Charged; not yet decided whether it is kept.
    Charged,
    /// Charged, and belongs to a completed order. It stays so.
    Kept,
    /// To be given back if it is charged, and not to be charged if it is not; the gateway has not confirmed it. It is never
    /// kept any more.
    Refunding,
    /// Declined; nothing charged.
    Declined,
    /// The gateway was asked once, and was down; certainly nothing charged.
    Unavailable,
    /// Declined or unavailable, and its order waits for another attempt. It stays so.
    GivenUp,
    /// Charged, and given back.
    Refunded,
    /// Never charged, and never will be.
    Voided,
}

/// One attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Identity, and what the gateway recognises a repetition by.
    pub key: IdempotencyKey,
    /// The gateway that was asked last.
    pub gateway: GatewayName,
    /// Where it stands there.
    pub status: AttemptStatus,
    /// Another run than the first may have asked this gateway, or may be about to: that it is down for one of them does not
    /// say that it charges for none. It stays so.
    pub asked_again: bool,
    /// The gateway's reference, once charged.
    pub reference: Option<String>,
    /// What the gateway says it charged.
    pub confirmed: Option<Money>,
    /// Why it was declined.
    pub reason: Option<String>,
}

impl Attempt {
    /// An attempt that is about to ask `gateway`, for the first time.
    #[must_use]
    pub fn started(key: IdempotencyKey, gateway: GatewayName) -> Self {
        let status = AttemptStatus::Started;
        Self { key, gateway, status, asked_again: false, reference: None, confirmed: None, reason: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
