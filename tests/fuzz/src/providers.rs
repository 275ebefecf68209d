//! What payment providers answer, and the keys with which they are called.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use domain::{GatewayName, IdempotencyKey, Money};
use futures_util::future::{self, BoxFuture};
use payments::{
    Certainty, Http, Keys, PaypalKeys, Secret, SecretStore, StripeKeys,
    paypal::{NewOrder, PaypalClient, PaypalError},
    stripe::{CaptureMethod, NewIntent, StripeClient, StripeError},
};
use serde_json::{Value, json};
use test_aws::FixedClock;
use test_shop::{Buyer, NOW, price};

use crate::world::waited;

/// What a provider is asked for, the first word of an input. The second is the status of the answer, and the next line begins
/// the answer's body.
fn parts(input: &[u8]) -> Option<(&str, u16, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (operation, status) = std::str::from_utf8(&input[..end]).ok()?.split_once(' ')?;
    let status = status.parse().ok().filter(|status| (200..600).contains(status))?;
    Some((operation, status, &input[end + 1..]))
}

/// Answers everything with one answer, and a request for a token with a token.
#[derive(Clone)]
struct Provider(u16, Arc<Vec<u8>>);

impl Provider {
    fn http(status: u16, body: &[u8]) -> Http {
        Http::over(SharedHttpConnector::new(Self(status, Arc::new(body.to_vec()))))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

impl HttpConnector for Provider {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = if request.uri().ends_with("/v1/oauth2/token") && self.0 != 401 {
            (200, SdkBody::from(r#"{"access_token": "A21", "expires_in": 32400}"#))
        } else {
            (self.0, SdkBody::from(self.1.as_slice()))
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body)))
    }
}

fn attempt() -> IdempotencyKey {
    Buyer::first().key(1)
}

/// Whether an answer was read. Nothing is certain of a success that cannot be read.
fn read<T, E: fmt::Debug>(result: Result<T, E>, status: u16, certainty: fn(&E) -> Certainty) -> Option<T> {
    match result {
        Ok(read) => {
            assert!((200..300).contains(&status), "{status} is a success");
            Some(read)
        }
        Err(error) => {
            if (200..300).contains(&status) || status >= 500 {
                assert_eq!(certainty(&error), Certainty::Unknown, "{status}: {error:?}");
            }
            None
        }
    }
}

pub(crate) fn stripe(input: &[u8]) -> bool {
    let Some((operation, status, body)) = parts(input) else { return false };
    let keys = StripeKeys { secret_key: Secret::new("sk_test".to_owned()), webhook_secrets: Vec::new() };
    let keys = Keys::fixed(GatewayName("stripe".to_owned()), keys);
    let client = StripeClient::new(Provider::http(status, body), "https://api.stripe.com", keys);
    let attempt = attempt();
    let new = NewIntent { amount: price(), payment_method: "pm_1", capture: CaptureMethod::Manual, attempt: &attempt };
    let intent = match operation {
        "create" => waited(client.create_intent(&new, "key")),
        "confirm" => waited(client.confirm("pi_1", Some("https://shop.example.com"))),
        "retrieve" => waited(client.retrieve("pi_1")),
        "capture" => waited(client.capture("pi_1")),
        "cancel" => waited(client.cancel("pi_1")),
        "refund" => {
            let refund = read(waited(client.create_refund("pi_1", None)), status, StripeError::certainty);
            return refund.is_some_and(|refund| is_money(refund.money(), refund.amount));
        }
        _ => {
            let refunds = read(waited(client.refunds("pi_1")), status, StripeError::certainty);
            return refunds.is_some_and(|refunds| refunds.data.iter().all(|refund| is_money(refund.money(), refund.amount)));
        }
    };
    let Some(intent) = read(intent, status, StripeError::certainty) else { return false };
    assert!(!format!("{intent:?}").contains("_secret_"), "a secret is printed");
    is_money(intent.received(), intent.amount_received) && is_money(intent.capturable(), intent.amount_capturable)
}

/// Money is never more than what was said, but for currencies in which a provider writes other minor units.
fn is_money(money: Option<Money>, said: i64) -> bool {
    assert!(money.is_none_or(|money| said > 0 && money.amount_minor() <= said.saturating_mul(100)), "{money:?} of {said}");
    true
}

pub(crate) fn paypal(input: &[u8]) -> bool {
    let Some((operation, status, body)) = parts(input) else { return false };
    let secret = Secret::new("secret".to_owned());
    let keys = PaypalKeys { client_id: "client".to_owned(), client_secret: secret, webhook_id: None };
    let (keys, clock) = (Keys::fixed(GatewayName("paypal".to_owned()), keys), Arc::new(FixedClock::at(NOW)));
    let client = PaypalClient::new(Provider::http(status, body), "https://api-m.paypal.com", keys, clock);
    let (attempt, page) = (attempt(), "https://shop.example.com");
    let new = NewOrder { amount: price(), attempt: &attempt, return_url: page, cancel_url: page };
    let amount = |amount: Option<&payments::paypal::Amount>| amount.and_then(payments::paypal::Amount::money);
    match operation {
        "authorization" => {
            let found = waited(client.get_authorization("A1"));
            read(found, status, PaypalError::certainty).map(|found| amount(found.amount.as_ref())).is_some()
        }
        "capture" => {
            let found = waited(client.capture_authorization("A1", "key"));
            read(found, status, PaypalError::certainty).map(|found| amount(found.amount.as_ref())).is_some()
        }
        "refund" => {
            let found = waited(client.refund_capture("C1", Some(price()), "key"));
            read(found, status, PaypalError::certainty).map(|found| amount(found.amount.as_ref())).is_some()
        }
        // PayPal answers 204 without a body.
        "void" => read(waited(client.void("A1", "key")), status, PaypalError::certainty).is_some(),
        _ => {
            let found =
                if operation == "create" { waited(client.create_order(&new, "key")) } else { waited(client.get_order("O1")) };
            let Some(order) = read(found, status, PaypalError::certainty) else { return false };
            let Ok(said) = serde_json::from_slice::<Value>(body) else { return true };
            assert_eq!(said["id"], order.id);
            let url = order.approval_url.unwrap_or_default();
            assert!(url.is_empty() || said["links"].to_string().contains(&json!(url).to_string()), "{url} is not of PayPal");
            _ = amount(order.amount.as_ref());
            true
        }
    }
}

/// A store with one secret.
struct Store(String);

impl SecretStore for Store {
    fn read<'a>(&'a self, _account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(future::ready(Some(Secret::new(self.0.clone()))))
    }
}

/// The text of a secret: the keys of an account at Stripe, or of one at PayPal.
pub(crate) fn keys(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let (account, store) = (GatewayName("account".to_owned()), Arc::new(Store(text.to_owned())));
    let stripe = waited(Keys::<StripeKeys>::new(account.clone(), Arc::clone(&store) as _).current());
    let paypal = waited(Keys::<PaypalKeys>::new(account, store).current());
    let Ok(said) = serde_json::from_str::<Value>(text) else { return stripe.is_ok() || paypal.is_ok() };
    if let Ok(keys) = &stripe {
        assert_eq!(said["secret_key"], keys.secret_key.expose());
    }
    if let Ok(keys) = &paypal {
        assert!(said["client_secret"] == keys.client_secret.expose() && said["client_id"] == keys.client_id.as_str(), "{said}");
    }
    stripe.is_ok() || paypal.is_ok()
}

fn answers(answers: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<Vec<u8>> {
    answers.into_iter().map(|(asked, body)| format!("{asked}\n{body}").into_bytes()).collect()
}

pub(crate) fn stripe_seeds() -> Vec<Vec<u8>> {
    let intent = json!({
        "id": "pi_1", "object": "payment_intent", "status": "requires_capture", "amount": 99_900, "amount_capturable": 99_900,
        "amount_received": 0, "currency": "usd", "client_secret": "pi_1_secret_2", "latest_charge": "ch_1", "metadata": {"attempt": "1"},
    });
    let mut acting = intent.clone();
    acting["status"] = json!("requires_action");
    acting["next_action"] = json!({"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/1"}});
    let mut charged = intent.clone();
    charged["status"] = json!("succeeded");
    charged["amount_received"] = json!(99_900);
    let refund = json!({"id": "re_1", "status": "succeeded", "amount": 500, "currency": "jpy", "payment_intent": "pi_1"});
    let declined = json!({"error": {
        "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "No.", "payment_intent": intent,
    }});
    let state =
        json!({"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state", "payment_intent": intent}});
    answers([
        ("create 200", intent),
        ("confirm 200", acting),
        ("capture 200", charged),
        ("refund 200", refund.clone()),
        ("refunds 200", json!({"data": [refund], "has_more": false})),
        ("confirm 402", declined),
        ("cancel 400", state),
        ("retrieve 404", json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "intent"}})),
        ("retrieve 500", json!({"error": {"type": "api_error"}})),
    ])
}

pub(crate) fn paypal_seeds() -> Vec<Vec<u8>> {
    let amount = json!({"currency_code": "USD", "value": "999.00"});
    let movement = |status: &str| json!({"id": "M1", "status": status, "amount": amount, "custom_id": "demo-1"});
    let order = json!({
        "id": "O1", "status": "COMPLETED", "intent": "AUTHORIZE",
        "purchase_units": [{
            "amount": amount, "payee": {"merchant_id": "M"}, "custom_id": "demo-1",
            "payments": {
                "authorizations": [movement("CAPTURED")], "captures": [movement("COMPLETED")], "refunds": [movement("PENDING")],
            },
        }],
        "links": [{"href": "https://www.paypal.com/checkoutnow?token=O1", "rel": "payer-action", "method": "GET"}],
    });
    let pending = json!({"id": "M1", "status": "PENDING", "status_details": {"reason": "PENDING_REVIEW"}, "amount": amount});
    let refused = json!({
        "name": "UNPROCESSABLE_ENTITY", "debug_id": "1", "details": [{"issue": "INSTRUMENT_DECLINED", "description": "No."}],
        "links": [{"href": "https://www.paypal.com/checkoutnow?token=O1", "rel": "redirect"}],
    });
    answers([
        ("create 201", json!({"id": "O1", "status": "PAYER_ACTION_REQUIRED", "links": order["links"]})),
        ("order 200", order),
        ("authorization 200", pending),
        ("capture 201", movement("COMPLETED")),
        ("refund 201", movement("COMPLETED")),
        ("void 204", json!("")),
        ("capture 422", refused),
        ("create 400", json!({"name": "INVALID_REQUEST", "message": "No.", "details": []})),
        ("order 404", json!({"name": "RESOURCE_NOT_FOUND"})),
        ("order 401", json!({"error": "invalid_token"})),
    ])
}

pub(crate) fn key_seeds() -> Vec<Vec<u8>> {
    let stripe = json!({"secret_key": "sk_1", "webhook_secrets": ["whsec_1", "whsec_2"]});
    let paypal = json!({"client_id": "c", "client_secret": "s", "webhook_id": "w"});
    [stripe, paypal].into_iter().map(|keys| keys.to_string().into_bytes()).collect()
}
