//! The calls to Stripe. Each is one request.
//!
//! Only requests that make something have an idempotency key. `confirm`, `capture` and `cancel` have none: an intent's status
//! lets each of them act once, and under a key Stripe would repeat even an answer 500 for a day, done or not.

use std::sync::Arc;

use domain::{IdempotencyKey, Money};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::{
    Keys, StripeKeys,
    form::{FORM, Form, escaped},
    http::{self, Answer, Http, Reply, Request},
    stripe::{Intent, Refund, Refunds, StripeError, to_stripe},
};

/// The version of Stripe's API whose answers this client reads. Without it, Stripe answers in the version of the account.
const STRIPE_VERSION: &str = "2026-10-28.endive";
/// The most refunds that Stripe lists at once.
const LISTED_REFUNDS: &str = "100";

/// When the money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureMethod {
    /// As soon as the payment is confirmed.
    Automatic,
    /// It is reserved, and moves when it is captured.
    Manual,
}

impl CaptureMethod {
    fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }
}

/// A payment that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewIntent<'a> {
    /// The amount to be paid.
    pub amount: Money,
    /// The shopper's payment method: `pm_…`.
    pub payment_method: &'a str,
    /// When the money moves.
    pub capture: CaptureMethod,
    /// The order and the number of the attempt, which Stripe keeps with the intent.
    pub attempt: &'a IdempotencyKey,
}

/// A client of one Stripe account.
#[derive(Debug, Clone)]
pub struct StripeClient {
    http: Http,
    base_url: String,
    keys: Arc<Keys<StripeKeys>>,
}

impl StripeClient {
    /// A client of the account of these keys, at `base_url` (`https://api.stripe.com`).
    #[must_use]
    pub fn new(http: Http, base_url: &str, keys: Keys<StripeKeys>) -> Self {
        Self { http, base_url: base_url.trim_end_matches('/').to_owned(), keys: Arc::new(keys) }
    }

    /// Makes an intent, and does not confirm it: no money moves and none is reserved. Payment methods that always send the
    /// shopper to another page are excluded, so that `confirm` works without a return URL.
    ///
    /// # Errors
    /// See [`StripeError::certainty`].
    pub async fn create_intent(&self, new: &NewIntent<'_>, idempotency_key: &str) -> Result<Intent, StripeError> {
        let form = Form::default()
            .field("amount", &to_stripe(new.amount)?.to_string())
            .field("currency", &new.amount.currency().to_string().to_lowercase())
            .field("payment_method", new.payment_method)
            .field("capture_method", new.capture.as_str())
            .field("automatic_payment_methods[enabled]", "true")
            .field("automatic_payment_methods[allow_redirects]", "never")
            .field("metadata[order_id]", &new.attempt.order.to_string())
            .field("metadata[attempt]", &new.attempt.attempt.to_string());
        self.post("/v1/payment_intents", form, Some(idempotency_key)).await
    }

    /// Confirms an intent: reserves or charges the money, or asks the shopper for an action. With a `return_url` this action
    /// may be a redirect, from which the shopper comes back there.
    ///
    /// # Errors
    /// See [`StripeError::certainty`].
    pub async fn confirm(&self, intent: &str, return_url: Option<&str>) -> Result<Intent, StripeError> {
        let form = Form::default();
        let form = if let Some(url) = return_url { form.field("return_url", url) } else { form };
        self.post(&of_intent(intent, "/confirm"), form, None).await
    }

    /// Reads an intent.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn retrieve(&self, intent: &str) -> Result<Intent, StripeError> {
        self.send(Request::get(self.url(&of_intent(intent, "")))).await
    }

    /// Charges all that is reserved.
    ///
    /// # Errors
    /// See [`StripeError::certainty`].
    pub async fn capture(&self, intent: &str) -> Result<Intent, StripeError> {
        self.post(&of_intent(intent, "/capture"), Form::default(), None).await
    }

    /// Ends an intent that has not charged: nothing stays reserved, and it never charges.
    ///
    /// # Errors
    /// See [`StripeError::certainty`].
    pub async fn cancel(&self, intent: &str) -> Result<Intent, StripeError> {
        self.post(&of_intent(intent, "/cancel"), Form::default(), None).await
    }

    /// Refunds this amount of what an intent charged, under this idempotency key; without it, all that is not refunded yet. Stripe
    /// refunds no more than was charged, so only a refund of a part needs an idempotency key. The key is also noted in the refund
    /// as `part`, because Stripe forgets keys.
    ///
    /// # Errors
    /// See [`StripeError::certainty`].
    pub async fn create_refund(&self, intent: &str, amount: Option<(Money, &str)>) -> Result<Refund, StripeError> {
        let form = Form::default().field("payment_intent", intent);
        let Some((amount, idempotency_key)) = amount else { return self.post("/v1/refunds", form, None).await };
        let form = form.field("amount", &to_stripe(amount)?.to_string()).field("metadata[part]", idempotency_key);
        self.post("/v1/refunds", form, Some(idempotency_key)).await
    }

    /// The newest refunds of an intent, at most a hundred.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn refunds(&self, intent: &str) -> Result<Refunds, StripeError> {
        let query = Form::default().field("payment_intent", intent).field("limit", LISTED_REFUNDS).encoded();
        self.send(Request::get(self.url(&format!("/v1/refunds?{query}")))).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, form: Form, idempotency_key: Option<&str>) -> Result<T, StripeError> {
        let request = Request::post(self.url(path), FORM, form.encoded());
        self.send(match idempotency_key {
            Some(key) => request.with("idempotency-key", key),
            None => request,
        })
        .await
    }

    /// Sends `request`. Stripe does not act on a request whose key it refuses, so this one is sent again if the key was replaced,
    /// once. All of this ends within the time of one call.
    async fn send<T: DeserializeOwned>(&self, request: Request) -> Result<T, StripeError> {
        let deadline = http::deadline();
        let keys = timeout_at(deadline, self.keys.current()).await.map_err(|_| StripeError::NotSent)?;
        let keys = keys.map_err(|_| StripeError::Auth)?;
        let mut answer = self.call(&request, &keys, deadline).await?;
        if answer.status == 401
            && let Ok(Some(keys)) = timeout_at(deadline, self.keys.instead_of(&keys)).await
        {
            answer = self.call(&request, &keys, deadline).await?;
        }
        if answer.is_success() {
            answer.json().ok_or(StripeError::Unreadable(answer.status))
        } else {
            Err(StripeError::of(&answer))
        }
    }

    async fn call(&self, request: &Request, keys: &StripeKeys, deadline: Instant) -> Result<Answer, StripeError> {
        let authorization = format!("Bearer {}", keys.secret_key.expose());
        let request = request.clone().with("authorization", &authorization).with("stripe-version", STRIPE_VERSION);
        match self.http.call(request, deadline).await {
            Reply::Answered(answer) => Ok(answer),
            Reply::NotSent => Err(StripeError::NotSent),
            Reply::NoAnswer => Err(StripeError::NoAnswer),
        }
    }
}

/// The path of an intent, or of an operation on it.
fn of_intent(intent: &str, operation: &str) -> String {
    format!("/v1/payment_intents/{}{operation}", escaped(intent))
}
