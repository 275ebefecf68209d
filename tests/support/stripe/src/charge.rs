//! Charges and refunds, as the API shows them: <https://docs.stripe.com/api/charges/object>,
//! <https://docs.stripe.com/api/refunds/object>.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    currency::Currency,
    methods::{Decline, Kind, billing_details},
};

/// How far a charge has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChargeStatus {
    /// Authorised, and captured or not.
    Succeeded,
    /// The outcome comes later.
    Pending,
    /// No money moved.
    Failed,
}

/// One attempt to take the money of an intent.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) intent: String,
    pub(crate) method: String,
    pub(crate) kind: Kind,
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    /// What was given back, which includes what was authorised and never captured.
    pub(crate) amount_refunded: i64,
    pub(crate) captured: bool,
    pub(crate) currency: Currency,
    pub(crate) status: ChargeStatus,
    pub(crate) failure: Option<Decline>,
    /// Until when an authorisation can be captured.
    pub(crate) capture_before: Option<Timestamp>,
    pub(crate) balance_transaction: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
}

impl Charge {
    /// What can still be given back.
    pub(crate) const fn remaining(&self) -> i64 {
        self.amount - self.amount_refunded
    }

    /// The object as the API shows it.
    pub(crate) fn view(&self) -> Value {
        let (status, paid) = match self.status {
            ChargeStatus::Succeeded => ("succeeded", true),
            ChargeStatus::Pending => ("pending", false),
            ChargeStatus::Failed => ("failed", false),
        };
        let is_authorized = self.status != ChargeStatus::Failed;
        let (authorized, before) = (is_authorized.then_some(self.amount), self.capture_before.filter(|_| is_authorized));
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount_captured,
            "amount_refunded": self.amount_refunded,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": self.balance_transaction,
            "billing_details": billing_details(),
            "calculated_statement_descriptor": "Stripe",
            "captured": self.captured,
            "created": self.created.as_second(),
            "currency": self.currency.code,
            "customer": null,
            "description": self.description,
            "disputed": false,
            "failure_balance_transaction": null,
            "failure_code": self.failure.map(|failure| failure.code),
            "failure_message": self.failure.map(|failure| failure.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.metadata,
            "on_behalf_of": null,
            "outcome": self.outcome(),
            "paid": paid,
            "payment_intent": self.intent,
            "payment_method": self.method,
            "payment_method_details": self.kind.charge_details(self.amount, authorized, before),
            "radar_options": {},
            "receipt_email": self.receipt_email,
            "receipt_number": null,
            "receipt_url": is_authorized.then(|| format!("https://pay.stripe.com/receipts/payment/{}", self.id)),
            "refunded": self.status == ChargeStatus::Succeeded && self.remaining() == 0,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": status,
            "transfer_data": null,
            "transfer_group": null,
        })
    }

    fn outcome(&self) -> Value {
        let (network, reason, message, kind) = match self.failure {
            None => ("approved_by_network", None, "Payment complete.", "authorized"),
            Some(failure) => (
                "declined_by_network",
                Some(failure.reason.unwrap_or(failure.code)),
                "The bank did not return any further details with this decline.",
                "issuer_declined",
            ),
        };
        json!({
            "advice_code": self.failure.map(|_| "try_again_later"),
            "network_advice_code": null,
            "network_decline_code": self.failure.map(|_| "01"),
            "network_status": network,
            "reason": reason,
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": message,
            "type": kind,
        })
    }
}

/// How far a refund has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

/// Money that goes back to the shopper, or an authorisation that is released.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) charge: String,
    pub(crate) intent: String,
    pub(crate) method: String,
    pub(crate) kind: Kind,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) status: RefundStatus,
    pub(crate) reason: Option<&'static str>,
    /// Whether it only releases money that was authorised and never captured.
    pub(crate) releases: bool,
    pub(crate) balance_transaction: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Refund {
    /// The object as the API shows it. It has no `livemode`.
    pub(crate) fn view(&self) -> Value {
        let kind = if self.releases { "reversal" } else { "refund" };
        let destination = if self.kind.name == "card" && !self.releases {
            json!({ "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": kind })
        } else if self.kind.name == "card" {
            json!({ "type": kind })
        } else {
            json!({ "reference": null, "reference_status": null })
        };
        let destination_name = if self.kind.name == "card" { "card" } else { "us_bank_transfer" };
        let mut view = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created.as_second(),
            "currency": self.currency.code,
            "customer": null,
            "customer_account": null,
            "destination_details": { destination_name: destination, "type": destination_name },
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method": self.method,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": match self.status {
                RefundStatus::Pending => "pending",
                RefundStatus::Succeeded => "succeeded",
                RefundStatus::Failed => "failed",
            },
            "transfer_reversal": null,
        });
        if let (Value::Object(members), RefundStatus::Failed) = (&mut view, self.status) {
            members.insert("failure_reason".to_owned(), "unknown".into());
        }
        view
    }
}
