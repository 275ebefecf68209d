//! Deliberate bugs in what the shop asks payment providers for, and in what it makes of their answers.

use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header::AUTHORIZATION};
use serde_json::{Value, json};

use crate::services::{
    calls::Call,
    providers::{PAYPAL, STRIPE},
};

/// A call in transit that a bug has altered. `None`: it stays unchanged.
type Altered = Option<Request<Vec<u8>>>;

const INTENTS: &str = "/v1/payment_intents";

/// Calls stay as they are.
pub(super) fn unaltered(_: &Call) -> Altered {
    None
}

/// Answers stay as they are.
pub(super) fn believed(_: &Call, _: &mut Response<Vec<u8>>) {}

/// Every fourth intent is made at the other account.
pub(super) fn at_another_account(call: &Call) -> Altered {
    let is_opening = call.is_to(STRIPE) && call.request.method() == Method::POST && call.request.uri().path() == INTENTS;
    let (was, other) = ("Bearer sk_test_a", "Bearer sk_test_b");
    (is_opening && call.number.is_multiple_of(4)).then(|| {
        let mut request = call.request.clone();
        let is_first = request.headers()[AUTHORIZATION] == was;
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static(if is_first { other } else { was }));
        request
    })
}

/// Every request to open a payment has its own idempotency key.
pub(super) fn with_another_key(call: &Call) -> Altered {
    let (path, is_post) = (call.request.uri().path(), call.request.method() == Method::POST);
    let name = match () {
        () if is_post && path == INTENTS => "idempotency-key",
        () if is_post && path == "/v2/checkout/orders" => "paypal-request-id",
        () => return None,
    };
    let mut request = call.request.clone();
    let key = format!("{}-{}", request.headers()[name].to_str().unwrap(), call.number);
    request.headers_mut().insert(name, key.parse().unwrap());
    Some(request)
}

/// `charge-payment` cancels no intent.
pub(super) fn without_abandoning(call: &Call) -> Altered {
    without_cancelling(call, "charge-payment")
}

/// `refund-payment` cancels no intent.
pub(super) fn without_voiding(call: &Call) -> Altered {
    without_cancelling(call, "refund-payment")
}

/// `settle-payment` cancels no intent.
pub(super) fn without_returning(call: &Call) -> Altered {
    without_cancelling(call, "settle-payment")
}

fn is_cancellation(call: &Call) -> bool {
    call.is_to(STRIPE) && call.has("POST", INTENTS, "/cancel")
}

/// Reads the intent that `function` wants to cancel.
fn without_cancelling(call: &Call, function: &str) -> Altered {
    (call.function == function && is_cancellation(call)).then(|| {
        let mut request = call.request.clone();
        let uri = request.uri().to_string();
        *request.uri_mut() = uri.trim_end_matches("/cancel").parse::<Uri>().unwrap();
        *request.method_mut() = Method::GET;
        request.body_mut().clear();
        request
    })
}

/// The answer to an intent that `charge-payment` has not cancelled.
pub(super) fn as_if_abandoned(call: &Call, answer: &mut Response<Vec<u8>>) {
    as_if_cancelled(call, "charge-payment", answer);
}

/// The answer to an intent that `refund-payment` has not cancelled.
pub(super) fn as_if_voided(call: &Call, answer: &mut Response<Vec<u8>>) {
    as_if_cancelled(call, "refund-payment", answer);
}

/// The answer to an intent that `settle-payment` has not cancelled.
pub(super) fn as_if_returned(call: &Call, answer: &mut Response<Vec<u8>>) {
    as_if_cancelled(call, "settle-payment", answer);
}

fn as_if_cancelled(call: &Call, function: &str, answer: &mut Response<Vec<u8>>) {
    if call.function == function && is_cancellation(call) {
        rewritten(answer, |intent| intent["status"] = json!("canceled"));
    }
}

/// A refund is of one minor unit.
pub(super) fn in_part(call: &Call) -> Altered {
    let mut request = call.request.clone();
    if ["refund-order", "reconcile"].contains(&call.function) {
        return None;
    }
    if call.is_to(STRIPE) && call.has("POST", "/v1/refunds", "") {
        request.body_mut().extend(b"&amount=1");
        return Some(request);
    }
    (call.is_to(PAYPAL) && call.has("POST", "/v2/payments/captures", "/refund")).then(|| {
        *request.body_mut() = br#"{"amount": {"currency_code": "USD", "value": "0.01"}}"#.to_vec();
        request
    })
}

/// Whatever Stripe says of it, an intent that has to be refunded counts as authorised only.
pub(super) fn void_without_reading(call: &Call, answer: &mut Response<Vec<u8>>) {
    if call.function == "refund-payment" && call.is_to(STRIPE) && call.has("GET", INTENTS, "") {
        rewritten(answer, |intent| intent["status"] = json!("requires_capture"));
    }
}

/// A capture that Stripe refuses counts as done.
pub(super) fn refused_is_captured(call: &Call, answer: &mut Response<Vec<u8>>) {
    let is_refused = answer.status().is_client_error() && answer.status() != StatusCode::TOO_MANY_REQUESTS;
    if is_refused && call.is_to(STRIPE) && call.has("POST", INTENTS, "/capture") {
        let error: Value = serde_json::from_slice(answer.body()).unwrap();
        let mut intent = error["error"]["payment_intent"].clone();
        if intent.is_object() {
            intent["status"] = json!("succeeded");
            intent["amount_received"] = intent["amount"].clone();
            *answer.status_mut() = StatusCode::OK;
            *answer.body_mut() = intent.to_string().into_bytes();
        }
    }
}

/// When the saga is told that a payment has changed, the payment counts as authorised, and later as captured.
pub(super) fn event_is_believed(call: &Call, answer: &mut Response<Vec<u8>>) {
    if call.function == "charge-payment" && call.is_to(STRIPE) && call.has("GET", INTENTS, "") {
        rewritten(answer, |intent| {
            if intent["status"] == "requires_action" {
                intent["status"] = json!("requires_capture");
                intent["amount_capturable"] = intent["amount"].clone();
            }
        });
    }
    refused_is_captured(call, answer);
}

/// An answer 500 to the confirmation of an intent counts as a declined card.
pub(super) fn failure_is_a_decline(call: &Call, answer: &mut Response<Vec<u8>>) {
    if answer.status().is_server_error() && call.is_to(STRIPE) && call.has("POST", INTENTS, "/confirm") {
        *answer.status_mut() = StatusCode::PAYMENT_REQUIRED;
        *answer.body_mut() = br#"{"error": {"type": "card_error", "code": "card_declined", "message": "declined"}}"#.to_vec();
    }
}

fn rewritten(answer: &mut Response<Vec<u8>>, rewrite: impl FnOnce(&mut Value)) {
    if answer.status().is_success() {
        let mut body = serde_json::from_slice(answer.body()).unwrap();
        rewrite(&mut body);
        *answer.body_mut() = body.to_string().into_bytes();
    }
}
