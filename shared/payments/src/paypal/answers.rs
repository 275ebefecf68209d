//! PayPal's objects, with the fields that the gateway reads. Fields that are missing or unknown do no harm.

use domain::Money;
use serde::Deserialize;

use crate::{paypal::from_paypal, words::words};

words! {
    /// What is to become of an order's payment.
    OrderIntent {
        /// The money is reserved first. A capture moves it.
        Authorize = "AUTHORIZE",
        /// The money moves at once.
        Capture = "CAPTURE",
    }
}

words! {
    /// The status of an order.
    OrderStatus {
        /// Made; the shopper has not approved it.
        Created = "CREATED",
        /// Saved for later.
        Saved = "SAVED",
        /// The shopper has to go to the approval URL.
        PayerActionRequired = "PAYER_ACTION_REQUIRED",
        /// The shopper has approved it: it can be authorised.
        Approved = "APPROVED",
        /// Authorised or captured; its payments say which.
        Completed = "COMPLETED",
        /// Final: nothing will be charged.
        Voided = "VOIDED",
    }
}

words! {
    /// The status of an authorization.
    AuthorizationStatus {
        /// The money is reserved, and waits for a capture.
        Created = "CREATED",
        /// PayPal has not decided yet; the reason says why.
        Pending = "PENDING",
        /// Captured in full.
        Captured = "CAPTURED",
        /// Captured in part.
        PartiallyCaptured = "PARTIALLY_CAPTURED",
        /// Final: nothing is reserved.
        Voided = "VOIDED",
        /// Final: refused.
        Denied = "DENIED",
    }
}

words! {
    /// The status of a capture.
    CaptureStatus {
        /// The money has moved.
        Completed = "COMPLETED",
        /// PayPal has not decided yet; the reason says why.
        Pending = "PENDING",
        /// Final: refused.
        Declined = "DECLINED",
        /// Final: failed.
        Failed = "FAILED",
        /// Refunded in part.
        PartiallyRefunded = "PARTIALLY_REFUNDED",
        /// Refunded in full.
        Refunded = "REFUNDED",
    }
}

words! {
    /// The status of a refund.
    RefundStatus {
        /// Done.
        Completed = "COMPLETED",
        /// Accepted; the money is on its way.
        Pending = "PENDING",
        /// The money did not move.
        Failed = "FAILED",
        /// Stopped before the money moved.
        Cancelled = "CANCELLED",
    }
}

/// An amount as PayPal writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Amount {
    /// Such as `EUR`.
    pub currency_code: String,
    /// Such as `19.99`.
    pub value: String,
}

impl Amount {
    /// The same as money; `None` if it is no positive amount of a currency that PayPal charges.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        from_paypal(&self.value, &self.currency_code)
    }
}

/// An order with one purchase unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "OrderForm")]
pub struct Order {
    /// The order's id at PayPal.
    pub id: String,
    /// Where the order stands.
    pub status: OrderStatus,
    /// What is to become of the payment; `None` in a minimal answer.
    pub intent: Option<OrderIntent>,
    /// The amount to be paid; `None` in a minimal answer.
    pub amount: Option<Amount>,
    /// The merchant id of the account that gets the money; `None` in a minimal answer.
    pub payee: Option<String>,
    /// The note of the program that made the order. [`PaypalClient::create_order`](super::PaypalClient::create_order) notes
    /// order id and attempt.
    pub custom_id: Option<String>,
    /// The authorizations of the order; the last one counts.
    pub authorizations: Vec<Authorization>,
    /// The captures of the order's authorizations.
    pub captures: Vec<Capture>,
    /// The refunds of the order's captures.
    pub refunds: Vec<Refund>,
    /// Where the shopper approves the order, while that is to be done.
    pub approval_url: Option<String>,
}

#[derive(Deserialize)]
struct OrderForm {
    id: String,
    status: OrderStatus,
    #[serde(default)]
    intent: Option<OrderIntent>,
    #[serde(default)]
    purchase_units: Vec<PurchaseUnit>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Default, Deserialize)]
struct PurchaseUnit {
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default)]
    payee: Option<Payee>,
    #[serde(default)]
    custom_id: Option<String>,
    #[serde(default)]
    payments: Option<Payments>,
}

#[derive(Deserialize)]
struct Payee {
    #[serde(default)]
    merchant_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Payments {
    #[serde(default)]
    authorizations: Vec<Authorization>,
    #[serde(default)]
    captures: Vec<Capture>,
    #[serde(default)]
    refunds: Vec<Refund>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Link {
    href: String,
    rel: String,
}

impl Link {
    /// Where the shopper has to go. An order with a payment source has the first link, one without it the second, and a refused
    /// payment the third.
    pub(super) fn for_payer(links: Vec<Self>) -> Option<String> {
        let is_for_payer = |link: &Self| ["payer-action", "approve", "redirect"].contains(&link.rel.as_str());
        links.into_iter().find(is_for_payer).map(|link| link.href)
    }
}

impl From<OrderForm> for Order {
    fn from(form: OrderForm) -> Self {
        let unit = form.purchase_units.into_iter().next().unwrap_or_default();
        let payments = unit.payments.unwrap_or_default();
        Self {
            id: form.id,
            status: form.status,
            intent: form.intent,
            amount: unit.amount,
            payee: unit.payee.and_then(|payee| payee.merchant_id),
            custom_id: unit.custom_id,
            authorizations: payments.authorizations,
            captures: payments.captures,
            refunds: payments.refunds,
            approval_url: Link::for_payer(form.links),
        }
    }
}

/// Money that is reserved, or was.
pub type Authorization = Movement<AuthorizationStatus>;
/// Money that moved, or was to move. Its id is the transaction id that a shopper sees.
pub type Capture = Movement<CaptureStatus>;
/// Money that went back, or was to go. The note of a refund of a part is its request id.
pub type Refund = Movement<RefundStatus>;

/// What PayPal says of one movement of money, whose statuses are `S`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Movement<S> {
    /// The movement's id.
    pub id: String,
    /// Its status at PayPal.
    pub status: S,
    /// Why it is pending, declined or failed, such as `PENDING_REVIEW` or `ECHECK`.
    #[serde(default, rename = "status_details", deserialize_with = "reason")]
    pub reason: Option<String>,
    /// What is authorised, captured or refunded.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// The note of the order: order id and attempt.
    #[serde(default)]
    pub custom_id: Option<String>,
}

/// `reason` in `status_details`.
fn reason<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Details {
        #[serde(default)]
        reason: Option<String>,
    }
    Ok(Option::<Details>::deserialize(from)?.and_then(|details| details.reason))
}

/// The error in an answer that is not a success.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorForm {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) debug_id: Option<String>,
    #[serde(default)]
    pub(super) details: Vec<Detail>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    #[serde(default)]
    pub(super) issue: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
}
