//! What happens to the money of an intent: an attempt to charge, a capture, an end without payment.
//!
//! These functions change the books and make the events. Whether a step is allowed is decided before.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use test_provider::later;

use crate::{
    books::{Books, Cause, Timer},
    charge::{Charge, ChargeStatus, Refund, RefundStatus},
    intent::CaptureMethod,
    methods::{Behaviour, DECLINED, Decline, PaymentMethod, RefundCourse},
    refusal::{Refusal, documentation},
    status::Status,
};

/// How long an authorisation of a card lasts: <https://docs.stripe.com/payments/place-a-hold-on-a-payment-method>.
const AUTHORISATION_LASTS: Duration = Duration::from_hours(7 * 24);

/// An attempt to pay an intent.
pub(crate) struct Attempt<'a> {
    pub(crate) intent: &'a str,
    pub(crate) method: &'a PaymentMethod,
    pub(crate) cause: &'a Cause,
    pub(crate) now: Timestamp,
}

impl Attempt<'_> {
    /// Sends the shopper to 3-D Secure.
    pub(crate) fn ask_for_authentication(&self, books: &mut Books, next_action: Value) {
        if let Some(intent) = books.intents.get_mut(self.intent) {
            intent.status = Status::RequiresAction;
            intent.payment_method = Some(self.method.id.clone());
            intent.next_action = Some(next_action);
            intent.last_payment_error = None;
        }
        books.emit_intent("payment_intent.requires_action", self.intent, self.cause, self.now);
    }

    /// Charges the payment method, which needs no further authentication.
    ///
    /// # Errors
    /// The issuer declined. The books say so.
    pub(crate) fn charge(&self, books: &mut Books) -> Result<(), Refusal> {
        match self.method.kind.behaviour {
            Behaviour::Declines(decline) | Behaviour::NeedsAuthentication(Some(decline)) => {
                let charge = self.insert(books, ChargeStatus::Failed, Some(decline));
                Err(self.decline(books, decline, charge.as_deref()))
            }
            Behaviour::Approves | Behaviour::RefusesCapture | Behaviour::NeedsAuthentication(None) => {
                self.approve(books);
                Ok(())
            }
            Behaviour::Settles(well) => {
                let charge = self.insert(books, ChargeStatus::Pending, None);
                self.pay(books, Status::Processing, charge.as_deref());
                if let Some(charge) = charge {
                    books.emit_charge("charge.pending", &charge, self.cause, self.now);
                }
                books.emit_intent("payment_intent.processing", self.intent, self.cause, self.now);
                if let Some(well) = well {
                    let after = books.delays.settling;
                    books.set(Timer::Settle { intent: self.intent.to_owned(), well }, self.now, after);
                }
                Ok(())
            }
        }
    }

    fn approve(&self, books: &mut Books) {
        let manual = books.intents.get(self.intent).is_some_and(|intent| intent.capture_method == CaptureMethod::Manual);
        let Some(charge) = self.insert(books, ChargeStatus::Succeeded, None) else { return };
        if manual {
            self.pay(books, Status::RequiresCapture, Some(&charge));
            if let Some(intent) = books.intents.get_mut(self.intent) {
                intent.amount_capturable = intent.amount;
            }
            books.emit_charge("charge.succeeded", &charge, self.cause, self.now);
            books.emit_intent("payment_intent.amount_capturable_updated", self.intent, self.cause, self.now);
            books.set(Timer::Expire(self.intent.to_owned()), self.now, AUTHORISATION_LASTS);
        } else {
            self.pay(books, Status::Succeeded, Some(&charge));
            receive(books, &charge, None);
            books.emit_charge("charge.succeeded", &charge, self.cause, self.now);
            books.emit_intent("payment_intent.succeeded", self.intent, self.cause, self.now);
        }
    }

    /// Ends the attempt and lets the shopper try another payment method. Returns Stripe's answer.
    pub(crate) fn decline(&self, books: &mut Books, decline: Decline, charge: Option<&str>) -> Refusal {
        let mut error = json!({
            "advice_code": "try_again_later",
            "code": decline.code,
            "doc_url": documentation(decline.code),
            "message": decline.message,
            "payment_method": self.method.view(),
            "payment_method_type": self.method.kind.name,
            "type": "card_error",
        });
        if let Value::Object(members) = &mut error {
            members.extend(charge.map(|charge| ("charge".to_owned(), charge.into())));
            members.extend(decline.reason.map(|code| ("decline_code".to_owned(), code.into())));
        }
        self.fail(books, error, charge);
        let mut refusal = Refusal::of(402, "card_error", decline.message).code(decline.code).executed();
        refusal = refusal.with("advice_code", "try_again_later".into()).with("payment_method", self.method.view());
        if let Some(charge) = charge {
            refusal = refusal.with("charge", charge.into());
        }
        if let Some(code) = decline.reason {
            refusal = refusal.with("decline_code", code.into());
        }
        let intent = books.view(self.intent).unwrap_or_default();
        refusal.with("payment_intent", intent)
    }

    /// The issuer refuses to capture what it had authorised. The charge fails, and the shopper may try another payment method.
    pub(crate) fn refuse_capture(&self, books: &mut Books, charge: Option<&str>) -> Refusal {
        if let Some(charge) = charge.and_then(|charge| books.charges.get_mut(charge)) {
            charge.status = ChargeStatus::Failed;
            charge.failure = Some(DECLINED);
        }
        self.decline(books, DECLINED, charge)
    }

    /// The shopper did not pass 3-D Secure. Nothing was charged.
    pub(crate) fn fail_authentication(&self, books: &mut Books) {
        let code = "payment_intent_authentication_failure";
        let message = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new \
                       PaymentMethod to attempt to fulfill this PaymentIntent again.";
        let error = json!({
            "code": code,
            "doc_url": documentation(code),
            "message": message,
            "payment_method": self.method.view(),
            "payment_method_type": self.method.kind.name,
            "type": "invalid_request_error",
        });
        self.fail(books, error, None);
    }

    fn fail(&self, books: &mut Books, error: Value, charge: Option<&str>) {
        if let Some(intent) = books.intents.get_mut(self.intent) {
            intent.status = Status::RequiresPaymentMethod;
            intent.payment_method = None;
            intent.next_action = None;
            intent.amount_capturable = 0;
            intent.last_payment_error = Some(error);
            intent.latest_charge = charge.map(str::to_owned).or(intent.latest_charge.take());
        }
        if let Some(charge) = charge {
            books.emit_charge("charge.failed", charge, self.cause, self.now);
        }
        books.emit_intent("payment_intent.payment_failed", self.intent, self.cause, self.now);
    }

    /// Notes that the payment method pays the intent.
    fn pay(&self, books: &mut Books, status: Status, charge: Option<&str>) {
        if let Some(intent) = books.intents.get_mut(self.intent) {
            intent.status = status;
            intent.payment_method = Some(self.method.id.clone());
            intent.latest_charge = charge.map(str::to_owned);
            intent.last_payment_error = None;
            intent.next_action = None;
        }
        if let Some(method) = books.methods.get_mut(&self.method.id) {
            method.used_by = Some(self.intent.to_owned());
        }
    }

    fn insert(&self, books: &mut Books, status: ChargeStatus, failure: Option<Decline>) -> Option<String> {
        let id = books.id("ch");
        let intent = books.intents.get(self.intent)?;
        let holds = status == ChargeStatus::Succeeded && intent.capture_method == CaptureMethod::Manual;
        let charge = Charge {
            id: id.clone(),
            created: self.now,
            intent: self.intent.to_owned(),
            method: self.method.id.clone(),
            kind: self.method.kind,
            amount: intent.amount,
            amount_captured: 0,
            amount_refunded: 0,
            captured: false,
            currency: intent.currency,
            status,
            failure,
            capture_before: holds.then(|| later(self.now, AUTHORISATION_LASTS)),
            balance_transaction: None,
            metadata: intent.metadata.clone(),
            description: intent.description.clone(),
            receipt_email: intent.receipt_email.clone(),
        };
        books.charges.insert(id.clone(), charge);
        Some(id)
    }
}

/// Moves the money of a charge: all of it, or the amount to capture. The rest of an authorisation is released.
fn receive(books: &mut Books, charge: &str, amount: Option<i64>) {
    let transaction = books.id("txn");
    let Some(charge) = books.charges.get_mut(charge) else { return };
    let received = amount.unwrap_or(charge.amount);
    charge.status = ChargeStatus::Succeeded;
    charge.captured = true;
    charge.amount_captured = received;
    charge.balance_transaction = Some(transaction);
    if let Some(intent) = books.intents.get_mut(&charge.intent) {
        intent.amount_received = received;
        intent.amount_capturable = 0;
        intent.status = Status::Succeeded;
    }
}

/// Captures an authorised intent.
pub(crate) fn capture(books: &mut Books, id: &str, amount: i64, cause: &Cause, now: Timestamp) {
    let Some(charge) = books.intents.get(id).and_then(|intent| intent.latest_charge.clone()) else { return };
    receive(books, &charge, Some(amount));
    let rest = books.charges.get(&charge).map_or(0, |charge| charge.amount - amount);
    if rest > 0 {
        release(books, &charge, rest, None, now);
    }
    books.emit_charge("charge.captured", &charge, cause, now);
    books.emit_intent("payment_intent.succeeded", id, cause, now);
}

/// Why an intent ends without payment.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// The client asked, and maybe said why.
    Asked(Option<&'static str>),
    /// The authorisation was not captured in time.
    Expired,
}

/// Ends an intent without payment. An authorisation is released, which Stripe shows as a refund of the uncaptured charge.
pub(crate) fn cancel(books: &mut Books, id: &str, end: End, cause: &Cause, now: Timestamp) {
    let Some(intent) = books.intents.get_mut(id) else { return };
    let held = if intent.status == Status::RequiresCapture { intent.latest_charge.clone() } else { None };
    let (reason, event, refund_reason) = match end {
        End::Asked(reason) => (reason, "charge.refunded", None),
        End::Expired => (Some("automatic"), "charge.expired", Some("expired_uncaptured_charge")),
    };
    intent.status = Status::Canceled;
    intent.canceled_at = Some(now);
    intent.cancellation_reason = reason;
    intent.amount_capturable = 0;
    intent.next_action = None;
    if let Some(charge) = held {
        let amount = books.charges.get(&charge).map_or(0, Charge::remaining);
        release(books, &charge, amount, refund_reason, now);
        books.emit_charge(event, &charge, cause, now);
    }
    books.emit_intent("payment_intent.canceled", id, cause, now);
}

fn release(books: &mut Books, charge: &str, amount: i64, reason: Option<&'static str>, now: Timestamp) {
    let id = books.id("re");
    let Some(charge) = books.charges.get_mut(charge) else { return };
    charge.amount_refunded += amount;
    let refund = refund_of(charge, id.clone(), amount, RefundStatus::Succeeded, now);
    books.refunds.insert(id, Refund { reason, releases: true, ..refund });
}

/// A new refund of a charge, without reason and metadata.
pub(crate) fn refund_of(charge: &Charge, id: String, amount: i64, status: RefundStatus, now: Timestamp) -> Refund {
    Refund {
        id,
        created: now,
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        method: charge.method.clone(),
        kind: charge.kind,
        amount,
        currency: charge.currency,
        status,
        reason: None,
        releases: false,
        balance_transaction: None,
        metadata: std::collections::BTreeMap::new(),
    }
}

/// Does what has happened by itself until `now`, in the order of time.
pub(crate) fn advance(books: &mut Books, now: Timestamp) {
    let nobody = Cause::default();
    while let Some((at, timer)) = books.next_timer(now) {
        match timer {
            Timer::Expire(id) => {
                if books.intents.get(&id).is_some_and(|intent| intent.status == Status::RequiresCapture) {
                    cancel(books, &id, End::Expired, &nobody, at);
                }
            }
            Timer::Settle { intent, well } => settle(books, &intent, well, at),
            Timer::Refund(id) => change_refund(books, &id, at),
        }
    }
}

fn settle(books: &mut Books, id: &str, well: bool, now: Timestamp) {
    let nobody = Cause::default();
    let Some(intent) = books.intents.get(id).filter(|intent| intent.status == Status::Processing) else { return };
    let (Some(charge), Some(method)) = (intent.latest_charge.clone(), intent.payment_method.clone()) else { return };
    if well {
        receive(books, &charge, None);
        books.emit_charge("charge.succeeded", &charge, &nobody, now);
        books.emit_intent("payment_intent.succeeded", id, &nobody, now);
        return;
    }
    let failure = Decline { code: "insufficient_funds", reason: None, message: "The account has insufficient funds." };
    if let Some(charge) = books.charges.get_mut(&charge) {
        charge.status = ChargeStatus::Failed;
        charge.failure = Some(failure);
    }
    if let Some(method) = books.methods.get(&method).cloned() {
        let attempt = Attempt { intent: id, method: &method, cause: &nobody, now };
        let _ = attempt.decline(books, failure, Some(&charge)); // nobody waits for this answer
    }
}

/// A pending refund succeeds; a successful one fails, and its money is back on the account.
fn change_refund(books: &mut Books, id: &str, now: Timestamp) {
    let nobody = Cause::default();
    let Some(refund) = books.refunds.get_mut(id) else { return };
    if refund.status == RefundStatus::Pending {
        refund.status = RefundStatus::Succeeded;
    } else if refund.kind.refunds == RefundCourse::Fails {
        refund.status = RefundStatus::Failed;
        if let Some(charge) = books.charges.get_mut(&refund.charge) {
            charge.amount_refunded -= refund.amount;
        }
        books.emit_refund("refund.failed", id, &nobody, now);
    }
    books.emit_refund("refund.updated", id, &nobody, now);
    books.emit_refund("charge.refund.updated", id, &nobody, now);
}
