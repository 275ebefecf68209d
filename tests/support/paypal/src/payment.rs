//! The books as a test reads them, to compare them with what the shop believes.

use serde_json::{Value, json};

use crate::{
    FakePaypal,
    books::{Authorization, CaptureState, Order, RefundState},
};

/// What became of one order, in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The account that made the order.
    pub client_id: String,
    /// PayPal's id of the order.
    pub order_id: String,
    /// The shop's id of the order, `custom_id`.
    pub custom_id: Option<String>,
    /// The shop's invoice id.
    pub invoice_id: Option<String>,
    /// Three letters.
    pub currency: &'static str,
    /// The amount of the order.
    pub amount_minor: u64,
    /// PayPal's status of the order.
    pub order_status: &'static str,
    /// PayPal's id and status of the order's authorization.
    pub authorization: Option<(String, &'static str)>,
    /// What an authorization still holds of the payer's money.
    pub held_minor: u64,
    /// What was captured: completed captures, refunds not subtracted.
    pub captured_minor: u64,
    /// What was refunded: completed refunds.
    pub refunded_minor: u64,
}

impl Payment {
    /// As `GET /_fake/payments` shows it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "client_id": self.client_id,
            "order_id": self.order_id,
            "custom_id": self.custom_id,
            "invoice_id": self.invoice_id,
            "currency": self.currency,
            "amount_minor": self.amount_minor,
            "order_status": self.order_status,
            "authorization": self.authorization.as_ref().map(|(id, status)| json!({"id": id, "status": status})),
            "held_minor": self.held_minor,
            "captured_minor": self.captured_minor,
            "refunded_minor": self.refunded_minor,
        })
    }
}

impl FakePaypal {
    /// Every order, in the order in which they were made. Orders that PayPal has forgotten are among them.
    #[must_use]
    pub fn payments(&self) -> Vec<Payment> {
        self.books.orders.values().map(|order| self.payment(order)).collect()
    }

    fn payment(&self, order: &Order) -> Payment {
        let authorization = order.authorization.as_ref().and_then(|id| self.books.authorizations.get(id));
        let captures = order.captures.iter().filter_map(|id| self.books.captures.get(id));
        let refunds = order.refunds.iter().filter_map(|id| self.books.refunds.get(id));
        Payment {
            client_id: order.client_id.clone(),
            order_id: order.id.clone(),
            custom_id: order.custom_id.clone(),
            invoice_id: order.invoice_id.clone(),
            currency: order.amount.currency.code(),
            amount_minor: order.amount.minor,
            order_status: self.order_status(order),
            authorization: authorization.map(|one| (one.id.clone(), one.status())),
            held_minor: authorization.map_or(0, Authorization::held_minor),
            captured_minor: captures.filter(|one| one.state == CaptureState::Completed).map(|one| one.amount.minor).sum(),
            refunded_minor: refunds.filter(|one| one.state == RefundState::Completed).map(|one| one.amount.minor).sum(),
        }
    }
}
