//! A payment intent, and the object as the API shows it: <https://docs.stripe.com/api/payment_intents/object>.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{currency::Currency, status::Status};

/// When the money of an authorised payment moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureMethod {
    Automatic,
    AutomaticAsync,
    Manual,
}

impl CaptureMethod {
    /// The words of the parameter `capture_method`, in Stripe's order.
    pub(crate) const WORDS: [&str; 3] = ["automatic", "automatic_async", "manual"];

    /// The method with this name; without one, Stripe's default since the API version 2024-04-10.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("automatic") => Self::Automatic,
            Some("manual") => Self::Manual,
            _ => Self::AutomaticAsync,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::AutomaticAsync => "automatic_async",
            Self::Manual => "manual",
        }
    }
}

/// Which payment methods an intent accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Those of the account: `automatic_payment_methods`.
    Automatic {
        /// Whether methods that redirect the shopper are among them. They need a `return_url`.
        redirects: bool,
    },
    /// Those of a list: `payment_method_types`.
    Types(Vec<String>),
}

/// What the search finds an intent by.
#[derive(Debug, Clone)]
pub(crate) struct Indexed {
    pub(crate) status: Status,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A payment intent.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) amount: i64,
    pub(crate) amount_capturable: i64,
    pub(crate) amount_received: i64,
    pub(crate) currency: Currency,
    pub(crate) capture_method: CaptureMethod,
    pub(crate) accepts: Accepts,
    pub(crate) status: Status,
    pub(crate) payment_method: Option<String>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) last_payment_error: Option<Value>,
    pub(crate) next_action: Option<Value>,
    pub(crate) canceled_at: Option<Timestamp>,
    pub(crate) cancellation_reason: Option<&'static str>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) return_url: Option<String>,
    /// The states that the search index has gone through, with the time of each change.
    pub(crate) history: Vec<(Timestamp, Indexed)>,
}

impl Intent {
    /// The secret with which a browser may see and confirm the intent.
    pub(crate) fn client_secret(&self) -> String {
        format!("{}_secret_{}", self.id, self.id.chars().rev().take(25).filter(char::is_ascii_alphanumeric).collect::<String>())
    }

    /// The types of payment methods that it accepts.
    pub(crate) fn types(&self) -> Vec<String> {
        match &self.accepts {
            Accepts::Types(types) => types.clone(),
            Accepts::Automatic { .. } if self.currency.code == "usd" && self.capture_method != CaptureMethod::Manual => {
                vec!["card".to_owned(), "us_bank_account".to_owned()]
            }
            Accepts::Automatic { .. } => vec!["card".to_owned()],
        }
    }

    /// Notes the state for the search.
    pub(crate) fn index(&mut self, now: Timestamp) {
        self.history.push((now, Indexed { status: self.status, metadata: self.metadata.clone() }));
    }

    /// The object as the API shows it to the account.
    pub(crate) fn view(&self) -> Value {
        let automatic = match self.accepts {
            Accepts::Automatic { redirects } => {
                json!({ "allow_redirects": if redirects { "always" } else { "never" }, "enabled": true })
            }
            Accepts::Types(_) => Value::Null,
        };
        let card =
            json!({ "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic" });
        let of_type = |name: String| match name.as_str() {
            "card" => (name, card.clone()),
            _ => (name, json!({ "verification_method": "automatic" })),
        };
        let options: Value = self.types().into_iter().map(of_type).collect();
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": self.amount_capturable,
            "amount_details": { "tip": {} },
            "amount_received": self.amount_received,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": automatic,
            "canceled_at": self.canceled_at.map(Timestamp::as_second),
            "cancellation_reason": self.cancellation_reason,
            "capture_method": self.capture_method.name(),
            "client_secret": self.client_secret(),
            "confirmation_method": "automatic",
            "created": self.created.as_second(),
            "currency": self.currency.code,
            "customer": null,
            "customer_account": null,
            "description": self.description,
            "excluded_payment_method_types": null,
            "last_payment_error": self.last_payment_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": self.next_action,
            "on_behalf_of": null,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": options,
            "payment_method_types": self.types(),
            "processing": null,
            "receipt_email": self.receipt_email,
            "review": null,
            "setup_future_usage": null,
            "shipping": null,
            "source": null,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.status.name(),
            "transfer_data": null,
            "transfer_group": null,
        })
    }

    /// The object as the API shows it to a browser, which has the publishable key and the client secret.
    pub(crate) fn view_for_browser(&self) -> Value {
        let mut view = self.view();
        if let Value::Object(members) = &mut view {
            members.retain(|name, _| BROWSER_SEES.contains(&name.as_str()));
        }
        view
    }
}

/// The members of an intent that a publishable key sees.
const BROWSER_SEES: [&str; 22] = [
    "id",
    "object",
    "amount",
    "amount_details",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "processing",
    "receipt_email",
    "shipping",
    "status",
];
