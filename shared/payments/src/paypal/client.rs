//! The calls to PayPal. Each is one request, after one for a token if there is none; a repetition with the same request id
//! has the effect of one.

use std::{fmt, sync::Arc};

use domain::{Clock, IdempotencyKey, Money};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Keys, PaypalKeys,
    form::escaped,
    http::{self, Answer, Http, Reply, Request, Secret},
    paypal::{Authorization, Capture, Order, PaypalError, Refund, to_paypal, token::Tokens},
};

/// An order that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewOrder<'a> {
    /// The amount to be paid.
    pub amount: Money,
    /// The order and the number of the attempt, which PayPal keeps with the payment.
    pub attempt: &'a IdempotencyKey,
    /// Where the shopper comes back after the approval.
    pub return_url: &'a str,
    /// Where the shopper comes back without an approval.
    pub cancel_url: &'a str,
}

/// A client of one PayPal account. It keeps its token, so a process makes one client.
pub struct PaypalClient {
    http: Http,
    base_url: String,
    tokens: Tokens,
}

impl fmt::Debug for PaypalClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaypalClient({})", self.base_url)
    }
}

impl PaypalClient {
    /// A client of the account of these keys, at `base_url` (`https://api-m.paypal.com`).
    #[must_use]
    pub fn new(http: Http, base_url: &str, keys: Keys<PaypalKeys>, clock: Arc<dyn Clock>) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { http, base_url, tokens: Tokens::new(keys, clock) }
    }

    /// Makes an order that the shopper has to approve: no money moves and none is reserved. The shop has the address, so
    /// PayPal does not ask for one.
    ///
    /// # Errors
    /// See [`PaypalError::certainty`].
    pub async fn create_order(&self, new: &NewOrder<'_>, request_id: &str) -> Result<Order, PaypalError> {
        let body = json!({
            "intent": "AUTHORIZE",
            "purchase_units": [{ "custom_id": new.attempt.to_string(), "amount": amount(new.amount)? }],
            "payment_source": { "paypal": { "experience_context": {
                "return_url": new.return_url,
                "cancel_url": new.cancel_url,
                "user_action": "PAY_NOW",
                "shipping_preference": "NO_SHIPPING",
            } } },
        });
        self.post("/v2/checkout/orders", &body, request_id).await
    }

    /// Reads an order.
    ///
    /// # Errors
    /// See [`PaypalError`].
    pub async fn get_order(&self, order: &str) -> Result<Order, PaypalError> {
        self.get("checkout/orders", order).await
    }

    /// Reserves the money of an approved order. The authorization is in the order.
    ///
    /// # Errors
    /// See [`PaypalError::certainty`].
    pub async fn authorize(&self, order: &str, request_id: &str) -> Result<Order, PaypalError> {
        self.post(&path("checkout/orders", order, "/authorize"), &json!({}), request_id).await
    }

    /// Reads an authorization.
    ///
    /// # Errors
    /// See [`PaypalError`].
    pub async fn get_authorization(&self, authorization: &str) -> Result<Authorization, PaypalError> {
        self.get("payments/authorizations", authorization).await
    }

    /// Charges all that is reserved.
    ///
    /// # Errors
    /// See [`PaypalError::certainty`].
    pub async fn capture_authorization(&self, authorization: &str, request_id: &str) -> Result<Capture, PaypalError> {
        let path = path("payments/authorizations", authorization, "/capture");
        self.post(&path, &json!({ "final_capture": true }), request_id).await
    }

    /// Ends an authorization that was not captured: nothing stays reserved.
    ///
    /// # Errors
    /// See [`PaypalError::certainty`].
    pub async fn void(&self, authorization: &str, request_id: &str) -> Result<(), PaypalError> {
        let url = self.url(&path("payments/authorizations", authorization, "/void"));
        // PayPal answers 204 without a body.
        self.send(writing(url, &json!({}), request_id)).await.map(|_| ())
    }

    /// Reads a capture.
    ///
    /// # Errors
    /// See [`PaypalError`].
    pub async fn get_capture(&self, capture: &str) -> Result<Capture, PaypalError> {
        self.get("payments/captures", capture).await
    }

    /// Refunds `part` of a capture; without it, all that is not refunded yet. The request id is also noted in the refund of a part,
    /// because PayPal forgets request ids.
    ///
    /// # Errors
    /// See [`PaypalError::certainty`].
    pub async fn refund_capture(&self, capture: &str, part: Option<Money>, request_id: &str) -> Result<Refund, PaypalError> {
        let body = if let Some(part) = part { json!({ "amount": amount(part)?, "custom_id": request_id }) } else { json!({}) };
        self.post(&path("payments/captures", capture, "/refund"), &body, request_id).await
    }

    /// Reads a refund.
    ///
    /// # Errors
    /// See [`PaypalError`].
    pub async fn get_refund(&self, refund: &str) -> Result<Refund, PaypalError> {
        self.get("payments/refunds", refund).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    async fn get<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<T, PaypalError> {
        read(&self.send(Request::get(self.url(&path(kind, id, "")))).await?)
    }

    /// A request that is answered with the whole object, not only with its id and status.
    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value, request_id: &str) -> Result<T, PaypalError> {
        let request = writing(self.url(path), body, request_id).with("prefer", "return=representation");
        read(&self.send(request).await?)
    }

    /// Sends `request` with a token. PayPal does not act on a request whose token it refuses, so this one is sent again with
    /// a new token, once. All of this ends within the time of one call.
    async fn send(&self, request: Request) -> Result<Answer, PaypalError> {
        let deadline = http::deadline();
        let token = self.tokens.token(&self.http, &self.base_url, None, deadline).await?;
        let mut answer = self.call(&request, &token, deadline).await?;
        if answer.status == 401 {
            let token = self.tokens.token(&self.http, &self.base_url, Some(&token), deadline).await?;
            answer = self.call(&request, &token, deadline).await?;
        }
        if answer.is_success() { Ok(answer) } else { Err(PaypalError::of(&answer)) }
    }

    async fn call(&self, request: &Request, token: &Secret, deadline: Instant) -> Result<Answer, PaypalError> {
        let request = request.clone().with("authorization", &format!("Bearer {}", token.expose()));
        match self.http.call(request, deadline).await {
            Reply::Answered(answer) => Ok(answer),
            Reply::NotSent => Err(PaypalError::NotSent),
            Reply::NoAnswer => Err(PaypalError::NoAnswer),
        }
    }
}

fn writing(url: String, body: &Value, request_id: &str) -> Request {
    Request::post(url, "application/json", body.to_string()).with("paypal-request-id", request_id)
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, PaypalError> {
    answer.json().ok_or(PaypalError::Unreadable(answer.status))
}

fn amount(money: Money) -> Result<Value, PaypalError> {
    Ok(json!({ "currency_code": money.currency().to_string(), "value": to_paypal(money)? }))
}

/// The path of an object, or of an operation on it.
fn path(kind: &str, id: &str, operation: &str) -> String {
    format!("/v2/{kind}/{}{operation}", escaped(id))
}
