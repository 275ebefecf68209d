//! `POST /payment`.

use domain::{Money, MoneyError, Order, OrderStatus, PaymentMethod, PaymentStatus, Timestamp};
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

/// The state of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// The payment has started or, after its end, the order is paid.
    success: bool,
    #[schema(value_type = schemas::PaymentStatus)]
    payment_status: PaymentStatus,
    #[schema(value_type = schemas::OrderStatus)]
    order_status: OrderStatus,
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
    /// A payment that is under way.
    #[must_use]
    pub fn under_way() -> Self {
        Self {
            success: true,
            payment_status: PaymentStatus::Pending,
            order_status: OrderStatus::Pending,
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
            payment_status,
            order_status,
            transaction_id: order.transaction_id.clone(),
            pay_by: pay_by(order, order_status),
        }
    }
}
