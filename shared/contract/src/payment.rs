//! `POST /payment`.

use domain::{Money, Order, OrderStatus, PaymentMethod, PaymentStatus, Timestamp};
use kit::{Problem, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use crate::{payment_method, problems, schemas, time};

/// Body of `POST /payment`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct PaymentRequest {
    /// The order to pay.
    #[schema(value_type = schemas::OrderId)]
    pub order_id: String,
    #[schema(value_type = schemas::PaymentMethod)]
    payment_method: String,
    /// What the order costs: what is charged is what the shopper agreed to.
    #[schema(value_type = schemas::DecimalAmount)]
    amount: Value,
}

/// The amount as it was written: a float would forget digits.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
}

/// An amount as a client wrote it, in the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalAmount(String);

impl PaymentRequest {
    /// The amount in the body of `request`, which this is.
    ///
    /// # Errors
    /// 400 when it is neither a number nor a text.
    pub fn amount(&self, request: &Request) -> Result<DecimalAmount, Problem> {
        let wrong = || Problem::malformed_request("amount is a decimal number or a string with one", "/amount");
        match &self.amount {
            Value::String(text) => Ok(DecimalAmount(text.clone())),
            Value::Number(_) => {
                let written: Written<'_> = serde_json::from_slice(request.body().as_ref()).map_err(|_| wrong())?;
                Ok(DecimalAmount(written.amount.get().to_owned()))
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
    /// Refuses any amount but `amount`, which the order costs.
    ///
    /// # Errors
    /// 400 when this is no plain decimal number, 422 when it is another amount.
    pub fn must_be(&self, amount: Money) -> Result<(), Problem> {
        match amount.equals_decimal(&self.0) {
            Ok(true) => Ok(()),
            Ok(false) => Err(problems::amount_mismatch(amount)),
            Err(error) => Err(Problem::malformed_request(error.to_string(), "/amount")),
        }
    }
}

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// The payment was taken up or, once it has ended, the order is paid.
    success: bool,
    #[schema(value_type = schemas::PaymentStatus)]
    payment_status: PaymentStatus,
    #[schema(value_type = schemas::OrderStatus)]
    order_status: OrderStatus,
    /// The payment gateway's reference, once paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    transaction_id: Option<String>,
    /// While the order waits for another payment: until when it can be paid.
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

    /// A payment that has ended, as `order` stands at `now`.
    #[must_use]
    pub fn ended(order: &Order, now: Timestamp) -> Self {
        let (order_status, payment_status, _) = order.statuses(now);
        Self {
            success: order_status == OrderStatus::Completed,
            payment_status,
            order_status,
            transaction_id: order.transaction_id.clone(),
            pay_by: (order_status == OrderStatus::AwaitingPayment).then(|| time(order.pay_by)),
        }
    }
}
