//! Stripe's objects, with the fields that the gateway reads. Fields that are missing or unknown do no harm.

use std::collections::BTreeMap;

use domain::Money;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{http::Secret, stripe::from_stripe, words::words};

words! {
    /// The status of a payment intent.
    IntentStatus {
        /// No payment method, or the last one failed.
        RequiresPaymentMethod = "requires_payment_method",
        /// Has a payment method and waits for `confirm`.
        RequiresConfirmation = "requires_confirmation",
        /// The shopper has to do something, such as 3-D Secure.
        RequiresAction = "requires_action",
        /// The outcome is not known yet, at Stripe either.
        Processing = "processing",
        /// Authorised: the money is reserved, and waits for `capture`.
        RequiresCapture = "requires_capture",
        /// Final: nothing is reserved and nothing will be charged.
        Canceled = "canceled",
        /// Final: charged.
        Succeeded = "succeeded",
    }
}

words! {
    /// What the shopper has to do.
    NextActionKind {
        /// Open a URL.
        RedirectToUrl = "redirect_to_url",
        /// Let Stripe's script on the page do it.
        UseStripeSdk = "use_stripe_sdk",
    }
}

words! {
    /// The status of a refund.
    RefundStatus {
        /// Accepted; the money is on its way.
        Pending = "pending",
        /// The shopper has to give bank details.
        RequiresAction = "requires_action",
        /// Done.
        Succeeded = "succeeded",
        /// The money came back to the account.
        Failed = "failed",
        /// Stopped before the money moved.
        Canceled = "canceled",
    }
}

/// A payment intent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Intent {
    /// `pi_…`.
    pub id: String,
    /// Where the payment stands.
    pub status: IntentStatus,
    /// The amount to be paid, in Stripe's minor unit.
    pub amount: i64,
    /// The reserved amount that can be captured, in Stripe's minor unit.
    #[serde(default)]
    pub amount_capturable: i64,
    /// The charged amount, in Stripe's minor unit.
    #[serde(default)]
    pub amount_received: i64,
    /// The currency's code in small letters.
    pub currency: String,
    /// Lets the shopper's page act on this intent. It belongs to nobody else.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// What the shopper has to do; only in [`IntentStatus::RequiresAction`].
    #[serde(default)]
    pub next_action: Option<NextAction>,
    /// Why the last confirmation failed.
    #[serde(default)]
    pub last_payment_error: Option<PaymentError>,
    /// `ch_…` or `py_…`: the last attempt to charge.
    #[serde(default)]
    pub latest_charge: Option<String>,
    /// The notes that [`StripeClient::create_intent`](super::StripeClient::create_intent) made: `order_id` and `attempt`.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

impl Intent {
    /// The money that was charged; `None` while there is none.
    #[must_use]
    pub fn received(&self) -> Option<Money> {
        from_stripe(self.amount_received, &self.currency)
    }

    /// The money that is reserved and can be captured; `None` if there is none.
    #[must_use]
    pub fn capturable(&self) -> Option<Money> {
        from_stripe(self.amount_capturable, &self.currency)
    }
}

/// What the shopper has to do before the payment goes on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "NextActionForm")]
pub struct NextAction {
    /// How.
    pub kind: NextActionKind,
    /// Where, for [`NextActionKind::RedirectToUrl`].
    pub url: Option<String>,
}

#[derive(Deserialize)]
struct NextActionForm {
    #[serde(rename = "type")]
    kind: NextActionKind,
    #[serde(default)]
    redirect_to_url: Option<Redirect>,
}

#[derive(Deserialize)]
struct Redirect {
    #[serde(default)]
    url: Option<String>,
}

impl From<NextActionForm> for NextAction {
    fn from(form: NextActionForm) -> Self {
        Self { kind: form.kind, url: form.redirect_to_url.and_then(|redirect| redirect.url) }
    }
}

/// Why a payment failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct PaymentError {
    /// Stripe's error code, such as `card_declined`.
    #[serde(default)]
    pub code: Option<String>,
    /// The issuer's reason, such as `insufficient_funds`. It is not for the shopper's eyes if it is about fraud.
    #[serde(default)]
    pub decline_code: Option<String>,
    /// A sentence for the shopper.
    #[serde(default)]
    pub message: Option<String>,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// `re_…`.
    pub id: String,
    /// Where the refund stands.
    pub status: RefundStatus,
    /// The refunded amount, in Stripe's minor unit.
    pub amount: i64,
    /// The currency's code in small letters.
    pub currency: String,
    /// `pi_…`: what is refunded.
    #[serde(default)]
    pub payment_intent: Option<String>,
    /// `ch_…`: what is refunded.
    #[serde(default)]
    pub charge: Option<String>,
    /// Why it failed, such as `insufficient_funds`.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// The note of a refund of a part: `part`, its idempotency key.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

impl Refund {
    /// The refunded money.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        from_stripe(self.amount, &self.currency)
    }
}

/// The refunds of an intent, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refunds {
    /// At most a hundred.
    pub data: Vec<Refund>,
    /// Whether there are older ones.
    #[serde(default)]
    pub has_more: bool,
}

/// The error in an answer that is not a success.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorForm {
    pub(super) error: ErrorBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) param: Option<String>,
    #[serde(flatten)]
    pub(super) why: PaymentError,
    #[serde(default, deserialize_with = "if_readable")]
    pub(super) payment_intent: Option<Box<Intent>>,
}

/// A field whose form does not change what the error is.
fn if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(from)?).ok())
}
