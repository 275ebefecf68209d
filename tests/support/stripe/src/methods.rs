//! Payment methods: the tokens that tests send, and what happens when one is charged.
//!
//! The tokens `pm_card_…` and `pm_usBankAccount_…` are those of <https://docs.stripe.com/testing>. Stripe makes a new payment
//! method of a token each time. `pm_fake_…` are this fake's own, for what Stripe's test mode cannot be told to do.

use jiff::Timestamp;
use serde_json::{Value, json};

/// What happens when a payment method is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// The money is authorised, and captured when asked.
    Approves,
    /// The issuer refuses.
    Declines(Decline),
    /// The shopper has to pass 3-D Secure first; then it is as this says.
    NeedsAuthentication(Option<Decline>),
    /// The money is authorised, but the capture is refused.
    RefusesCapture,
    /// The payment is `processing` and ends later: well, badly, or never.
    Settles(Option<bool>),
}

/// Why an issuer declines: <https://docs.stripe.com/declines/codes>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    /// `error.code`.
    pub(crate) code: &'static str,
    /// `error.decline_code`. Only `card_declined` has one in test mode.
    pub(crate) reason: Option<&'static str>,
    /// For the shopper.
    pub(crate) message: &'static str,
}

/// What becomes of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundCourse {
    /// It succeeds at once.
    AtOnce,
    /// It is pending and succeeds later.
    Later,
    /// It succeeds at once and fails later.
    Fails,
}

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `card` or `us_bank_account`.
    pub(crate) name: &'static str,
    /// The card's brand; empty for a bank account.
    brand: &'static str,
    last4: &'static str,
    pub(crate) behaviour: Behaviour,
    pub(crate) refunds: RefundCourse,
}

const fn declined(reason: &'static str, message: &'static str) -> Decline {
    Decline { code: "card_declined", reason: Some(reason), message }
}

/// The plain decline.
pub(crate) const DECLINED: Decline = declined("generic_decline", "Your card was declined.");
/// The decline of a payment without a shopper who could authenticate.
pub(crate) const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    reason: Some("authentication_required"),
    message: "Your card was declined. This transaction requires authentication.",
};

const fn card(last4: &'static str, behaviour: Behaviour) -> Kind {
    Kind { name: "card", brand: "visa", last4, behaviour, refunds: RefundCourse::AtOnce }
}

const fn bank(last4: &'static str, settles: Option<bool>) -> Kind {
    let behaviour = Behaviour::Settles(settles);
    Kind { name: "us_bank_account", brand: "", last4, behaviour, refunds: RefundCourse::Later }
}

impl Kind {
    /// What a token stands for.
    pub(crate) fn of(token: &str) -> Option<Self> {
        use Behaviour::{Approves, Declines, NeedsAuthentication, RefusesCapture};
        let refunded = |refunds| Kind { refunds, ..card("7726", Approves) };
        Some(match token {
            "pm_card_visa" => card("4242", Approves),
            "pm_card_visa_debit" => card("5556", Approves),
            "pm_card_mastercard" => Kind { brand: "mastercard", ..card("4444", Approves) },
            "pm_card_amex" => Kind { brand: "amex", ..card("8431", Approves) },
            "pm_card_pendingRefund" => refunded(RefundCourse::Later),
            "pm_card_refundFail" => Kind { last4: "5126", ..refunded(RefundCourse::Fails) },
            "pm_card_chargeDeclined" | "pm_card_visa_chargeDeclined" => card("0002", Declines(DECLINED)),
            "pm_card_chargeDeclinedInsufficientFunds" | "pm_card_visa_chargeDeclinedInsufficientFunds" => {
                card("9995", Declines(declined("insufficient_funds", "Your card has insufficient funds.")))
            }
            "pm_card_chargeDeclinedLostCard" | "pm_card_visa_chargeDeclinedLostCard" => {
                card("9987", Declines(declined("lost_card", DECLINED.message)))
            }
            "pm_card_chargeDeclinedStolenCard" | "pm_card_visa_chargeDeclinedStolenCard" => {
                card("9979", Declines(declined("stolen_card", DECLINED.message)))
            }
            "pm_card_chargeDeclinedVelocityLimitExceeded" | "pm_card_visa_chargeDeclinedVelocityLimitExceeded" => {
                card("6975", Declines(declined("card_velocity_exceeded", DECLINED.message)))
            }
            "pm_card_chargeDeclinedExpiredCard" => card("0069", Declines(plain("expired_card", "Your card has expired."))),
            "pm_card_chargeDeclinedIncorrectCvc" => {
                card("0127", Declines(plain("incorrect_cvc", "Your card's security code is incorrect.")))
            }
            "pm_card_chargeDeclinedProcessingError" => {
                let message = "An error occurred while processing your card. Try again in a little bit.";
                card("0119", Declines(plain("processing_error", message)))
            }
            "pm_card_authenticationRequired" => card("3184", NeedsAuthentication(None)),
            "pm_card_threeDSecure2Required" | "pm_card_threeDSecureRequired" => card("3220", NeedsAuthentication(None)),
            "pm_card_threeDSecureRequiredChargeDeclined" => card("1629", NeedsAuthentication(Some(DECLINED))),
            "pm_usBankAccount_success" => bank("6789", Some(true)),
            "pm_usBankAccount_insufficientFunds" => bank("2227", Some(false)),
            "pm_usBankAccount_processing" => bank("0000", None),
            "pm_fake_captureDeclined" => card("0077", RefusesCapture),
            _ => return None,
        })
    }

    /// `card` or `us_bank_account` of a payment method, or of a charge before its authorisation is added.
    fn details(self) -> Value {
        if self.name == "card" {
            json!({
                "brand": self.brand,
                "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
                "country": "US",
                "exp_month": 12,
                "exp_year": 2099,
                "fingerprint": format!("fake{}", self.last4),
                "funding": "credit",
                "last4": self.last4,
                "wallet": null,
            })
        } else {
            json!({
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "fingerprint": format!("fake{}", self.last4),
                "last4": self.last4,
                "routing_number": "110000000",
            })
        }
    }

    /// `payment_method_details` of a charge. `authorized` is the authorised amount. `capture_before` is when an authorisation ends.
    pub(crate) fn charge_details(self, amount: i64, authorized: Option<i64>, capture_before: Option<Timestamp>) -> Value {
        let mut details = self.details();
        if let (Value::Object(members), "card") = (&mut details, self.name) {
            let more = [
                ("amount_authorized", json!(authorized)),
                ("authorization_code", Value::Null),
                ("extended_authorization", json!({ "status": "disabled" })),
                ("incremental_authorization", json!({ "status": "unavailable" })),
                ("installments", Value::Null),
                ("mandate", Value::Null),
                ("multicapture", json!({ "status": "unavailable" })),
                ("network", json!(self.brand)),
                ("network_token", json!({ "used": false })),
                ("network_transaction_id", Value::Null),
                ("overcapture", json!({ "maximum_amount_capturable": amount, "status": "unavailable" })),
                ("regulated_status", json!("unregulated")),
                ("three_d_secure", Value::Null),
            ];
            members.extend(more.map(|(name, value)| (name.to_owned(), value)));
            if let Some(before) = capture_before {
                members.insert("capture_before".to_owned(), before.as_second().into());
            }
        }
        json!({ "type": self.name, self.name: details })
    }
}

const fn plain(code: &'static str, message: &'static str) -> Decline {
    Decline { code, reason: None, message }
}

/// A payment method that Stripe made of a token.
#[derive(Debug, Clone)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) created: Timestamp,
    /// The intent that paid with it. Without a customer, a payment method pays once.
    pub(crate) used_by: Option<String>,
}

impl PaymentMethod {
    /// The object as the API shows it.
    pub(crate) fn view(&self) -> Value {
        let mut details = self.kind.details();
        if let (Value::Object(members), true) = (&mut details, self.kind.name == "card") {
            let more = [
                ("display_brand", json!(self.kind.brand)),
                ("generated_from", Value::Null),
                ("networks", json!({ "available": [self.kind.brand], "preferred": null })),
                ("regulated_status", json!("unregulated")),
                ("three_d_secure_usage", json!({ "supported": true })),
            ];
            members.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        json!({
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(),
            "created": self.created.as_second(),
            "customer": null,
            "livemode": false,
            "metadata": {},
            "type": self.kind.name,
            self.kind.name: details,
        })
    }
}

/// The billing details of a test payment method: none.
pub(crate) fn billing_details() -> Value {
    let address = json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null });
    json!({ "address": address, "email": null, "name": null, "phone": null, "tax_id": null })
}
