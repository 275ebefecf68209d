//! `POST /payment`.

use domain::{
    Accounts, Action, Attempt, AttemptStatus, GatewayName, Money, MoneyError, Order, OrderStatus, PaymentMethod, PaymentStatus,
    ReservationId, Timestamp,
};
use kit::{Problem, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use crate::{
    order::{pay_by, payment_method},
    schemas,
};

/// Body of `POST /payment`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct PaymentRequest {
    /// The order to pay.
    #[schema(value_type = schemas::OrderId)]
    pub order_id: String,
    #[schema(value_type = schemas::PaymentMethod)]
    payment_method: String,
    /// What the order costs. Another amount is refused, so that the shopper pays what the shopper agreed to.
    #[schema(value_type = schemas::DecimalAmount)]
    amount: Value,
}

/// The amount as the client wrote it: a float would lose digits.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
}

/// An amount as a client wrote it, in the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalAmount(String);

impl PaymentRequest {
    /// The amount with every digit that the body of `request` has. This value was read from the same body.
    ///
    /// # Errors
    /// 400 when it is not a plain decimal number, or a text with one.
    pub fn amount(&self, request: &Request) -> Result<DecimalAmount, Problem> {
        let wrong = || Problem::malformed_request("amount is a decimal number or a string with one", "/amount");
        match &self.amount {
            Value::String(text) => DecimalAmount::new(text),
            Value::Number(_) => {
                let written: Written<'_> = serde_json::from_slice(request.body().as_ref()).map_err(|_| wrong())?;
                DecimalAmount::new(written.amount.get())
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
        }
    }

    /// The payment method, checked.
    ///
    /// # Errors
    /// 422 `invalid-request`.
    pub fn payment_method(&self) -> Result<PaymentMethod, Problem> {
        payment_method(&self.payment_method)
    }
}

impl DecimalAmount {
    fn new(text: &str) -> Result<Self, Problem> {
        let malformed = |error: MoneyError| Problem::malformed_request(error.to_string(), "/amount");
        Money::check_decimal(text).map(|()| Self(text.to_owned())).map_err(malformed)
    }

    /// Whether this is `amount`, digit by digit.
    #[must_use]
    pub fn is(&self, amount: Money) -> bool {
        amount.equals_decimal(&self.0) == Ok(true)
    }
}

/// One way to pay: an account of the shop. A payment method's token belongs to the account whose key made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PaymentOption {
    /// How the tokens of this account begin: `stripe`, `paypal`, `sandbox`.
    #[schema(value_type = schemas::Provider)]
    provider: &'static str,
    /// The account's name in the shop's configuration.
    account: String,
    /// The key with which the provider's library makes tokens for this account: Stripe's publishable key, PayPal's client id. The
    /// sandbox has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    public_key: Option<String>,
}

impl PaymentOption {
    /// The ways to pay for the reservation `id`, for which the accounts `chosen` were chosen.
    pub(crate) fn all(accounts: &Accounts, id: &ReservationId, chosen: &[GatewayName]) -> Vec<Self> {
        let options = accounts.options(id, chosen).into_iter();
        options
            .map(|account| Self {
                provider: account.provider.as_str(),
                account: account.name.to_string(),
                public_key: account.public_key.clone(),
            })
            .collect()
    }
}

/// The status of an order's payment as clients see it: the order's, or what its attempt says while that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum ShownStatus {
    /// The order's payment status.
    Order(PaymentStatus),
    /// The progress of the attempt under way.
    Attempt(AttemptProgress),
}

/// How far a payment that is under way has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptProgress {
    /// It waits for its shopper.
    RequiresAction,
    /// The money is reserved.
    Authorised,
}

impl AttemptProgress {
    pub(crate) const ALL: [Self; 2] = [Self::RequiresAction, Self::Authorised];
}

/// What the shopper has to do before the payment goes on. Afterwards, `POST /payment` again lets the payment go on at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = Action)]
pub enum ActionView {
    /// Send the shopper to this page of the provider. From there the shopper comes back to the shop's page.
    Redirect {
        /// The URL of the provider's page.
        url: String,
    },
    /// Call `handleNextAction` of Stripe.js with this client secret and the account's `public_key`.
    Stripe {
        /// Belongs to this shopper alone.
        client_secret: String,
    },
}

impl From<&Action> for ActionView {
    fn from(action: &Action) -> Self {
        match action.clone() {
            Action::Redirect { url } => Self::Redirect { url },
            Action::Stripe { client_secret } => Self::Stripe { client_secret },
        }
    }
}

/// What a payment that is under way waits for.
#[must_use]
pub fn action(attempt: &Attempt) -> Option<ActionView> {
    let waiting = attempt.waiting.as_ref().filter(|_| attempt.status == AttemptStatus::Started);
    waiting.map(|waiting| ActionView::from(&waiting.action))
}

/// How far a payment that is under way has come, if it is worth telling.
pub(crate) fn progress(attempt: &Attempt) -> Option<AttemptProgress> {
    match attempt.status {
        AttemptStatus::Started if attempt.waiting.is_some() => Some(AttemptProgress::RequiresAction),
        AttemptStatus::Authorised => Some(AttemptProgress::Authorised),
        AttemptStatus::Started
        | AttemptStatus::Charged
        | AttemptStatus::Kept
        | AttemptStatus::Refunding
        | AttemptStatus::Declined
        | AttemptStatus::Unavailable
        | AttemptStatus::GivenUp
        | AttemptStatus::Refunded
        | AttemptStatus::Voided => None,
    }
}

/// The state of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// The payment has started or, after its end, the order is paid.
    success: bool,
    #[schema(value_type = schemas::PaymentStatus)]
    payment_status: ShownStatus,
    #[schema(value_type = schemas::OrderStatus)]
    order_status: OrderStatus,
    /// What the shopper has to do, while `payment_status` is `requires_action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ActionView)]
    action: Option<ActionView>,
    /// The payment gateway's reference of a paid order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    transaction_id: Option<String>,
    /// The end of the time to pay, while the order waits for another payment. A failed payment leaves at least two minutes,
    /// but none prolongs the time beyond the sale's `max_hold_seconds` after the reservation was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    pay_by: Option<String>,
}

impl PaymentView {
    /// A payment that is under way, with its attempt if that has begun.
    #[must_use]
    pub fn under_way(attempt: Option<&Attempt>) -> Self {
        let status = ShownStatus::Order(PaymentStatus::Pending);
        Self {
            success: true,
            payment_status: attempt.and_then(progress).map_or(status, ShownStatus::Attempt),
            order_status: OrderStatus::Pending,
            action: attempt.and_then(action),
            transaction_id: None,
            pay_by: None,
        }
    }

    /// A payment that has ended, by the state of `order` at `now`.
    #[must_use]
    pub fn ended(order: &Order, now: Timestamp) -> Self {
        let (order_status, payment_status, _) = order.statuses(now);
        Self {
            success: order_status == OrderStatus::Completed,
            payment_status: ShownStatus::Order(payment_status),
            order_status,
            action: None,
            transaction_id: order.transaction_id.clone(),
            pay_by: pay_by(order, order_status),
        }
    }
}
