//! `/_fake/…`: what tests and developers do to this fake, and what Stripe's shopper does in a browser.
//!
//! - `POST`, `DELETE /_fake/faults`: see [`Faults`](test_provider::Faults).
//! - `POST`, `GET /_fake/webhooks`: see [`Webhooks`]; the account is a secret key.
//! - `GET /_fake/payments`: every payment.
//! - `POST /_fake/payment_intents/:id/authenticate` with `{"outcome": "passed"}` or `"failed"`: the shopper completes 3-D Secure.
//!   `GET` shows the shopper a page with two buttons, which lead back to the intent's `return_url`.

use http::{
    HeaderValue, Method, Request, Response,
    header::{CONTENT_TYPE, LOCATION},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use test_provider::Webhooks;
use url::{Url, form_urlencoded};

use crate::{
    FakeStripe,
    books::{Books, Cause},
    payment::Attempt,
    status::Status,
};

/// Lets the shopper pass 3-D Secure, or not. None if the intent is not here or does not wait for it.
pub(crate) fn authenticate(books: &mut Books, intent: &str, passed: bool, now: Timestamp) -> Option<Status> {
    let waiting = books.intents.get(intent).filter(|intent| intent.status == Status::RequiresAction)?;
    let method = waiting.payment_method.as_ref().and_then(|method| books.methods.get(method)).cloned()?;
    let attempt = Attempt { intent, method: &method, cause: &Cause::default(), now };
    if passed {
        let _ = attempt.charge(books); // a decline shows in the status
    } else {
        attempt.fail_authentication(books);
    }
    books.intents.get(intent).map(|intent| intent.status)
}

impl FakeStripe {
    /// Answers a request to `/_fake/…`.
    pub(crate) fn control(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Response<Vec<u8>> {
        let segments: Vec<_> = request.uri().path().split('/').skip(2).collect();
        let method = request.method();
        match segments.as_slice() {
            ["faults"] if method == Method::POST || method == Method::DELETE => self.faults.control(method, request.body()),
            ["webhooks"] if method == Method::POST => match Webhooks::read(request.body()) {
                Err(why) => no(&why),
                Ok(webhooks) if webhooks.account.as_ref().is_some_and(|key| !self.knows(key)) => no("there is no such account"),
                Ok(webhooks) => {
                    self.configure_webhooks(&webhooks);
                    test_provider::json(200, &json!({}))
                }
            },
            ["webhooks"] if method == Method::GET => {
                let waiting = self.books.iter().map(|books| books.outbox.state());
                let all: Vec<_> = waiting.flat_map(|state| state.as_array().cloned().unwrap_or_default()).collect();
                test_provider::json(200, &json!({ "waiting": all }))
            }
            ["payments"] if method == Method::GET => {
                let payments: Vec<_> = self.payments().iter().map(shown).collect();
                test_provider::json(200, &json!({ "payments": payments }))
            }
            ["payment_intents", id, "authenticate"] if method == Method::GET => page(id),
            ["payment_intents", id, "authenticate"] if method == Method::POST => self.shopper(id, request, now),
            _ => no("this fake has no such control request"),
        }
    }

    fn knows(&self, secret_key: &str) -> bool {
        self.options.accounts.iter().any(|account| account.secret_key == secret_key)
    }

    fn shopper(&mut self, id: &str, request: &Request<Vec<u8>>, now: Timestamp) -> Response<Vec<u8>> {
        let is_form = !request.body().trim_ascii_start().starts_with(b"{"); // by default, curl calls JSON a form
        let outcome = if is_form {
            form_urlencoded::parse(request.body()).find(|(name, _)| name == "outcome").map(|(_, outcome)| outcome.into_owned())
        } else {
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            body.get("outcome").and_then(Value::as_str).map(str::to_owned)
        };
        let passed = match outcome.as_deref() {
            Some("passed") => true,
            Some("failed") => false,
            _ => return no("the body is {\"outcome\": \"passed\"} or {\"outcome\": \"failed\"}"),
        };
        let Some(status) = self.authenticate(id, passed, now) else {
            return test_provider::json(409, &json!({ "fake": "this intent does not wait for the shopper" }));
        };
        let mut answer = test_provider::json(200, &json!({ "status": status.name() }));
        let back = self.books.iter().find_map(|books| books.intents.get(id)).filter(|_| is_form);
        let back = back.and_then(|intent| Some((intent.return_url.as_ref()?.parse::<Url>().ok()?, intent.client_secret())));
        if let Some((mut url, secret)) = back {
            let outcome = if status == Status::RequiresPaymentMethod { "failed" } else { "succeeded" };
            url.query_pairs_mut()
                .append_pair("payment_intent", id)
                .append_pair("payment_intent_client_secret", &secret)
                .append_pair("redirect_status", outcome);
            if let Ok(url) = HeaderValue::from_str(url.as_str()) {
                *answer.status_mut() = http::StatusCode::SEE_OTHER;
                answer.headers_mut().insert(LOCATION, url);
            }
        }
        answer
    }
}

fn shown(payment: &crate::Payment) -> Value {
    json!({
        "id": payment.id,
        "account": payment.account,
        "status": payment.status.name(),
        "currency": payment.currency,
        "amount_minor": payment.amount_minor,
        "capturable_minor": payment.capturable_minor,
        "received_minor": payment.received_minor,
        "refunded_minor": payment.refunded_minor,
        "charges": payment.charges,
        "metadata": payment.metadata,
    })
}

fn no(why: &str) -> Response<Vec<u8>> {
    test_provider::json(400, &json!({ "fake": why }))
}

/// The page on which the shopper of a developer's machine completes 3-D Secure.
fn page(id: &str) -> Response<Vec<u8>> {
    let known: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let html = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>3-D Secure</title><h1>3-D Secure of the fake Stripe</h1><p>{known}</p>\
         <form method=\"post\"><button name=\"outcome\" value=\"passed\">Pass</button> \
         <button name=\"outcome\" value=\"failed\">Fail</button></form>"
    );
    let mut answer = Response::new(html.into_bytes());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}
