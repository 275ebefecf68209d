//! `/_fake/…`: what tests and developers do to this fake; and `/checkoutnow`, where the approval link of an order leads.
//!
//! - `POST`, `DELETE /_fake/faults`: see [`Faults`](test_provider::Faults).
//! - `POST`, `GET /_fake/webhooks`: see [`Webhooks`]; the account is a client id, the secret is the webhook's id.
//! - `GET /_fake/payments`: every order, and what became of it.
//! - `POST /_fake/orders/:id/approve` with `{"instrument": "good"}` or another [`Instrument`]; `POST …/abandon`.
//! - `POST /_fake/authorizations/:id/accept`, `…/deny`; `POST /_fake/captures/:id/complete`, `…/deny`;
//!   `POST /_fake/refunds/:id/complete`, `…/fail`: PayPal decides what is pending.

use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use test_provider::Webhooks;
use url::form_urlencoded;

use crate::{FakePaypal, Impossible, Instrument, Payment, answer::Reply};

impl FakePaypal {
    /// Answers a request to `/_fake/…`, apart from faults.
    pub(crate) fn control(&mut self, path: &[&str], request: &Request<Vec<u8>>, now: Timestamp) -> Reply {
        let is_post = request.method() == Method::POST;
        let done = match path {
            ["webhooks"] if is_post => return self.webhooks_from(request.body()),
            ["webhooks"] => {
                let waiting = self.outboxes.values().map(test_provider::Outbox::state);
                let all: Vec<_> = waiting.flat_map(|state| state.as_array().cloned().unwrap_or_default()).collect();
                return Reply::json(StatusCode::OK, &json!({"waiting": all}));
            }
            ["payments"] if !is_post => {
                let payments: Vec<_> = self.payments().iter().map(Payment::json).collect();
                return Reply::json(StatusCode::OK, &json!({"payments": payments}));
            }
            _ if !is_post => return no("this fake has no such control request"),
            ["orders", id, "approve"] => instrument(request.body()).and_then(|instrument| self.approve(id, instrument, now)),
            ["orders", id, "abandon"] => self.abandon(id, now),
            ["authorizations", id, "accept"] => self.decide_authorization(id, true, now).map(|()| None),
            ["authorizations", id, "deny"] => self.decide_authorization(id, false, now).map(|()| None),
            ["captures", id, "complete"] => self.decide_capture(id, true, now).map(|()| None),
            ["captures", id, "deny"] => self.decide_capture(id, false, now).map(|()| None),
            ["refunds", id, "complete"] => self.decide_refund(id, true, now).map(|()| None),
            ["refunds", id, "fail"] => self.decide_refund(id, false, now).map(|()| None),
            _ => return no("this fake has no such control request"),
        };
        match done {
            Ok(payer_goes_to) => Reply::json(StatusCode::OK, &json!({"payer_goes_to": payer_goes_to})),
            Err(Impossible(why)) => Reply::json(StatusCode::CONFLICT, &json!({"fake": why})),
        }
    }

    fn webhooks_from(&mut self, body: &[u8]) -> Reply {
        match Webhooks::read(body) {
            Err(why) => no(&why),
            Ok(webhooks) if webhooks.account.as_ref().is_some_and(|id| self.options.account(id).is_none()) => {
                no("there is no such account")
            }
            Ok(webhooks) => {
                self.configure_webhooks(&webhooks);
                Reply::json(StatusCode::OK, &json!({}))
            }
        }
    }

    /// `GET /checkoutnow?token=…`: a browser that opens an order's approval link approves it, and with `&cancel=true` leaves.
    pub(crate) fn checkout_page(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Reply {
        let query: Vec<_> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).collect();
        let order_id = query.iter().find(|(name, _)| name == "token").map_or("", |(_, value)| value);
        let leaves = query.iter().any(|(name, value)| name == "cancel" && value == "true");
        let done = if leaves { self.abandon(order_id, now) } else { self.approve(order_id, Instrument::Good, now) };
        match done {
            Ok(Some(back)) => Reply::redirect(back),
            Ok(None) if leaves => page(StatusCode::OK, "You left. The order names no cancel_url."),
            Ok(None) => page(StatusCode::OK, "You approved the order. It names no return_url."),
            Err(Impossible(why)) => page(StatusCode::NOT_FOUND, &why),
        }
    }
}

/// The instrument that a test's body names; a good one if it names none.
fn instrument(body: &[u8]) -> Result<Instrument, Impossible> {
    if body.is_empty() {
        return Ok(Instrument::Good);
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| Impossible(format!("the body is not JSON: {error}")))?;
    let Some(name) = body.get("instrument") else { return Ok(Instrument::Good) };
    let found = Instrument::ALL.into_iter().find(|one| name == one.name());
    found.ok_or_else(|| Impossible(format!("there is no instrument {name}")))
}

fn no(why: &str) -> Reply {
    Reply::json(StatusCode::BAD_REQUEST, &json!({"fake": why}))
}

fn page(status: StatusCode, text: &str) -> Reply {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;");
    Reply::text(status, "text/html; charset=utf-8", &format!("<!doctype html><title>Fake PayPal</title><p>{safe}</p>"))
}
