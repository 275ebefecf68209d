//! Stripe as a payment gateway: an intent is opened unconfirmed, and its id is stored before it is confirmed. From then on
//! the intent itself says what became of the payment; no search and no idempotency key does.

use std::sync::Arc;

use domain::{Action, CaptureOutcome, ChargeOutcome, Clock, GatewayName, PartOutcome, RefundOutcome, SignedDuration};
use futures_util::future::BoxFuture;

use crate::{
    About, Certainty, Found, LookUp, OpenOutcome, Part, Payment, PaymentGateway,
    gateway::{Uncertain, found},
    stripe::{CaptureMethod, Intent, IntentStatus, NewIntent, PaymentError, Refund, RefundStatus, StripeClient, StripeError},
};

/// Stripe keeps an idempotency key for at least 24 h (<https://docs.stripe.com/api/idempotent_requests>). An hour before
/// that, an intent is no longer asked for: the same request could make a second one.
const KEY_IS_TRUSTED_FOR: SignedDuration = SignedDuration::from_hours(23);

/// One account at Stripe.
#[derive(Clone)]
pub struct StripeGateway {
    name: GatewayName,
    client: StripeClient,
    clock: Arc<dyn Clock>,
}

impl StripeGateway {
    /// The account of `client`, under the name by which it is configured.
    #[must_use]
    pub fn new(name: GatewayName, client: StripeClient, clock: Arc<dyn Clock>) -> Self {
        Self { name, client, clock }
    }

    async fn try_open(&self, payment: &Payment) -> Result<String, StripeError> {
        let opened = match self.create(payment, CaptureMethod::Manual, "open").await {
            Err(error) if cannot_authorise(&error) => self.create(payment, CaptureMethod::Automatic, "open-at-once").await,
            opened => opened,
        };
        opened.map(|intent| intent.id)
    }

    /// Stripe repeats an answer 500 under its key for a day, whether or not there is an intent. So one more key is tried. An
    /// intent whose id no run has stored is never confirmed.
    async fn create(&self, payment: &Payment, capture: CaptureMethod, suffix: &str) -> Result<Intent, StripeError> {
        let (_, token) = payment.method.parts();
        let new = NewIntent { amount: payment.amount, payment_method: token, capture, attempt: &payment.key };
        match self.client.create_intent(&new, &format!("{}-{suffix}", payment.key)).await {
            Err(StripeError::Server(_)) => self.client.create_intent(&new, &format!("{}-{suffix}-again", payment.key)).await,
            created => created,
        }
    }

    /// Confirms the intent. The error is that of the confirmation; what is not known after it is an unknown outcome.
    async fn try_charge(&self, payment: &Payment, id: &str) -> Result<ChargeOutcome, StripeError> {
        let intent = match self.client.confirm(id, None).await {
            Err(StripeError::UnexpectedState { intent }) => *intent,
            confirmed => confirmed?,
        };
        Ok(outcome(payment, &intent).unwrap_or(ChargeOutcome::Pending))
    }

    /// Cancels the intent, unless it is authorised or charged. Stripe carries out one of the two, a cancellation or what the
    /// shopper does, and refuses the other.
    async fn try_abandon(&self, payment: &Payment, id: &str) -> Result<ChargeOutcome, StripeError> {
        let intent = self.client.retrieve(id).await?;
        let intent = match intent.status {
            IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction | IntentStatus::RequiresPaymentMethod => {
                match self.client.cancel(id).await {
                    Err(StripeError::UnexpectedState { intent }) => *intent,
                    cancelled => cancelled?,
                }
            }
            IntentStatus::RequiresCapture
            | IntentStatus::Succeeded
            | IntentStatus::Processing
            | IntentStatus::Canceled
            | IntentStatus::Other(_) => intent,
        };
        let outcome = outcome(payment, &intent).unwrap_or(ChargeOutcome::Unknown);
        // An intent that still waits may yet be paid.
        Ok(if matches!(outcome, ChargeOutcome::RequiresAction(_)) { ChargeOutcome::Unknown } else { outcome })
    }

    async fn try_capture(&self, id: &str) -> Result<CaptureOutcome, StripeError> {
        let why = match self.client.capture(id).await {
            Ok(intent) => return Ok(captured(&intent).unwrap_or(CaptureOutcome::Unknown)),
            Err(error) => error,
        };
        // Whatever the error says: the intent says whether the money has moved, and whether it still can.
        let intent = self.client.retrieve(id).await?;
        if let Some(captured) = captured(&intent) {
            return Ok(captured);
        }
        let is_refused =
            matches!(why, StripeError::Card { .. } | StripeError::Invalid { .. } | StripeError::UnexpectedState { .. });
        let is_settled = intent.status != IntentStatus::Processing;
        Ok(if is_refused && is_settled { CaptureOutcome::Refused { reason: why.to_string() } } else { CaptureOutcome::Unknown })
    }

    async fn try_refund(&self, id: &str) -> Result<RefundOutcome, StripeError> {
        let intent = self.client.retrieve(id).await?;
        match intent.status {
            IntentStatus::Canceled => Ok(RefundOutcome::Voided),
            IntentStatus::Succeeded => self.give_back(id, intent.amount_received).await,
            // Stripe cancels no payment that is being processed.
            IntentStatus::Processing | IntentStatus::Other(_) => Ok(RefundOutcome::Unknown),
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture => {
                let cancelled = self.client.cancel(id).await?;
                Ok(if cancelled.status == IntentStatus::Canceled { RefundOutcome::Voided } else { RefundOutcome::Unknown })
            }
        }
    }

    /// Refunds what is left of the charge, unless refunds of all of it are under way or done. A refund that failed is made
    /// again. A refund that Stripe has accepted counts as done, although a bank may still return it days later.
    async fn give_back(&self, id: &str, received: i64) -> Result<RefundOutcome, StripeError> {
        if self.given_back(id).await? >= received {
            return Ok(RefundOutcome::Refunded);
        }
        let refund = self.client.create_refund(id, None).await?;
        Ok(if has_ended(&refund.status) { RefundOutcome::Unknown } else { RefundOutcome::Refunded })
    }

    /// The outcome of a charge that is looked up. An intent stays `succeeded` when its money has gone back.
    async fn with_refunds(&self, payment: &Payment, intent: &Intent) -> LookUp {
        let found = outcome(payment, intent).map_or(LookUp::Unknown, LookUp::Found);
        if !matches!(found, LookUp::Found(ChargeOutcome::Charged { .. })) {
            return found;
        }
        match self.given_back(&intent.id).await {
            Ok(back) if back >= intent.amount_received => LookUp::Found(declined("The payment was refunded.")),
            Ok(_) => found,
            Err(error) => {
                self.told(payment, "look_up", &error);
                LookUp::Unknown
            }
        }
    }

    /// What has gone back of an intent's money, or is under way, in minor units.
    async fn given_back(&self, id: &str) -> Result<i64, StripeError> {
        let refunds = self.client.refunds(id).await?;
        Ok(refunds.data.iter().filter(|refund| !has_ended(&refund.status)).map(|refund| refund.amount).sum())
    }

    /// Refunds a part, unless a refund of the intent has its note. Stripe forgets an idempotency key after a day, and a refund keeps
    /// its note. Two calls that both find no refund ask with the same key, which Stripe takes once.
    async fn try_refund_part(&self, payment: &Payment, id: &str, part: &Part) -> Result<PartOutcome, StripeError> {
        let key = part.key(payment);
        let refunds = self.client.refunds(id).await?;
        if let Some(known) = refunds.data.iter().find(|refund| refund.metadata.get("part") == Some(&key)) {
            return Ok(part_outcome(known));
        }
        if refunds.has_more {
            tracing::error!(gateway = %self.name, key, "the payment has too many refunds to find this one among them");
            return Ok(PartOutcome::Unknown);
        }
        match self.client.create_refund(id, Some((part.amount, &key))).await {
            Ok(refund) => Ok(part_outcome(&refund)),
            Err(error @ (StripeError::Invalid { .. } | StripeError::Amount(_))) => {
                self.told(payment, "refund_part", &error);
                Ok(PartOutcome::Refused { reason: error.to_string() })
            }
            Err(error) => Err(error),
        }
    }

    fn told(&self, payment: &Payment, operation: &str, error: &StripeError) {
        tracing::warn!(gateway = %self.name, key = %payment.key, operation, error = %error, "Stripe did not do what it was asked");
    }

    /// The outcome, unknown if the request failed.
    fn or_unknown<T: Uncertain>(&self, payment: &Payment, operation: &str, outcome: Result<T, StripeError>) -> T {
        outcome.unwrap_or_else(|error| {
            self.told(payment, operation, &error);
            T::UNKNOWN
        })
    }

    /// The outcome of a request that failed.
    fn failed(&self, payment: &Payment, operation: &str, error: &StripeError) -> ChargeOutcome {
        self.told(payment, operation, error);
        match (error.certainty(), error) {
            (Certainty::Failed, StripeError::Card { why, .. }) => declined(reason(why)),
            // The key was used with other parameters, so an earlier request had an effect that nobody here knows.
            (_, StripeError::RateLimited { .. }) => ChargeOutcome::Busy,
            (_, StripeError::Idempotency) | (Certainty::Failed | Certainty::Unknown, _) => ChargeOutcome::Unknown,
            (Certainty::NoEffect, _) => ChargeOutcome::Unavailable,
        }
    }
}

/// Whether a refund has ended without giving money back.
fn has_ended(status: &RefundStatus) -> bool {
    matches!(status, RefundStatus::Failed | RefundStatus::Canceled)
}

impl PaymentGateway for StripeGateway {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn open<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, OpenOutcome> {
        Box::pin(async move {
            if let Some(id) = &payment.provider_id {
                return OpenOutcome::ById(id.clone());
            }
            if self.clock.now().duration_since(payment.began_at) >= KEY_IS_TRUSTED_FOR {
                return OpenOutcome::Not(ChargeOutcome::Unavailable);
            }
            match self.try_open(payment).await {
                Ok(id) => OpenOutcome::ById(id),
                // A token that is unknown, used up, or made by another account's key. No other try helps, and no run has
                // confirmed: there is no intent.
                Err(error @ (StripeError::Invalid { .. } | StripeError::Amount(_))) => {
                    self.told(payment, "open", &error);
                    OpenOutcome::Not(declined("This payment method cannot be used."))
                }
                Err(error) => OpenOutcome::Not(self.failed(payment, "open", &error)),
            }
        })
    }

    fn charge<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return ChargeOutcome::Unknown };
            self.try_charge(payment, id).await.unwrap_or_else(|error| self.failed(payment, "charge", &error))
        })
    }

    fn look_up<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, LookUp> {
        Box::pin(async move {
            // No run confirms an intent whose id is not stored.
            let Some(id) = &payment.provider_id else { return LookUp::NotFound };
            match self.client.retrieve(id).await {
                Ok(Intent { status: IntentStatus::RequiresConfirmation, .. }) => LookUp::NotFound,
                Ok(intent) => self.with_refunds(payment, &intent).await,
                Err(error) => {
                    self.told(payment, "look_up", &error);
                    LookUp::Unknown
                }
            }
        })
    }

    /// Only intents are followed: whatever happens to a payment changes its intent.
    fn payment_of<'a>(&'a self, kind: &'a str, object: &'a str) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            if !object.starts_with("pi_") {
                return Found::Nothing;
            }
            let about = self.client.retrieve(object).await.map(|intent| about(&intent));
            found((&self.name, kind, object), about, |error| matches!(error, StripeError::Invalid { .. }))
        })
    }

    fn abandon<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return ChargeOutcome::Unknown };
            self.or_unknown(payment, "abandon", self.try_abandon(payment, id).await)
        })
    }

    fn capture<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, CaptureOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return CaptureOutcome::Unknown };
            self.or_unknown(payment, "capture", self.try_capture(id).await)
        })
    }

    fn refund<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, RefundOutcome> {
        Box::pin(async move {
            // The attempt says that it is being undone, so no run stores an id any more, and none confirms.
            let Some(id) = &payment.provider_id else { return RefundOutcome::Voided };
            self.or_unknown(payment, "refund", self.try_refund(id).await)
        })
    }

    fn refund_part<'a>(&'a self, payment: &'a Payment, part: &'a Part) -> BoxFuture<'a, PartOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return PartOutcome::Unknown };
            self.or_unknown(payment, "refund_part", self.try_refund_part(payment, id, part).await)
        })
    }
}

/// The outcome of a refund by its status. A refund that Stripe has accepted counts as done, as in `give_back`.
fn part_outcome(refund: &Refund) -> PartOutcome {
    match refund.status {
        RefundStatus::Failed | RefundStatus::Canceled => {
            let why = refund.failure_reason.as_deref().unwrap_or("no reason");
            PartOutcome::Refused { reason: format!("the refund failed: {why}") }
        }
        RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Succeeded | RefundStatus::Other(_) => {
            PartOutcome::Refunded
        }
    }
}

/// Stripe refuses an intent with manual capture for a payment method that can only be charged.
fn cannot_authorise(error: &StripeError) -> bool {
    matches!(error, StripeError::Invalid { param: Some(param), .. } if param == "capture_method")
}

/// The payment by the notes of its intent; `None`: another program made the intent.
fn about(intent: &Intent) -> Option<About> {
    let order = intent.metadata.get("order_id")?.parse().ok()?;
    Some(About { order, attempt: Some(intent.metadata.get("attempt")?.parse().ok()?) })
}

/// What the intent says of its payment; `None`: nothing final yet.
fn outcome(payment: &Payment, intent: &Intent) -> Option<ChargeOutcome> {
    let reference = intent.id.clone();
    match intent.status {
        IntentStatus::RequiresPaymentMethod => {
            Some(declined(intent.last_payment_error.as_ref().map_or("The payment failed.", reason)))
        }
        IntentStatus::Canceled => Some(declined("The payment was cancelled.")),
        // Less than the order's amount must not be sold for.
        IntentStatus::RequiresCapture if intent.capturable() == Some(payment.amount) => {
            Some(ChargeOutcome::Authorised { reference })
        }
        IntentStatus::Succeeded => intent.received().map(|confirmed| ChargeOutcome::Charged { reference, confirmed }),
        IntentStatus::RequiresAction => {
            let secret = intent.client_secret.as_ref()?;
            Some(ChargeOutcome::RequiresAction(Action::Stripe { client_secret: secret.expose().to_owned() }))
        }
        IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresCapture
        | IntentStatus::Processing
        | IntentStatus::Other(_) => None,
    }
}

/// The captured amount; `None`: the intent has not charged.
fn captured(intent: &Intent) -> Option<CaptureOutcome> {
    let received = intent.received().filter(|_| intent.status == IntentStatus::Succeeded);
    received.map(|confirmed| CaptureOutcome::Captured { confirmed })
}

fn declined(reason: &str) -> ChargeOutcome {
    ChargeOutcome::Declined { reason: reason.to_owned() }
}

/// A sentence for the shopper. Of everything about fraud it says only that the card was declined, as Stripe asks
/// (<https://docs.stripe.com/declines/codes>).
fn reason(why: &PaymentError) -> &'static str {
    match why.decline_code.as_deref().or(why.code.as_deref()).unwrap_or_default() {
        "insufficient_funds" => "The card has insufficient funds.",
        "expired_card" => "The card has expired.",
        "incorrect_cvc" | "invalid_cvc" => "The card's security code is not correct.",
        "processing_error" | "issuer_not_available" | "try_again_later" => "The card could not be processed. Try again later.",
        "payment_intent_authentication_failure" | "authentication_required" => "The card's owner did not confirm the payment.",
        _ => "The card was declined.",
    }
}
