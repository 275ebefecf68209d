//! The client against answers in the shapes of Stripe's API reference.

use std::sync::Arc;

use domain::{GatewayName, IdempotencyKey, Money};
use serde_json::{Value, json};

use super::*;
use crate::{
    CannotCharge, Keys, StripeKeys,
    http::{Certainty, Secret},
    testing::{Next, Provider, Replaced},
};

const CALL_KEY: &str = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1";

fn money(amount_minor: i64, currency: &str) -> Money {
    Money::new(amount_minor, currency.parse().unwrap()).unwrap()
}

fn attempt() -> IdempotencyKey {
    IdempotencyKey { order: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(), attempt: 1 }
}

fn account() -> GatewayName {
    GatewayName("stripe".to_owned())
}

fn keys(secret_key: &str) -> StripeKeys {
    StripeKeys { secret_key: Secret::new(secret_key.to_owned()), webhook_secrets: Vec::new() }
}

fn client(provider: &Provider) -> StripeClient {
    StripeClient::new(provider.http(), "https://api.stripe.invalid/", Keys::fixed(account(), keys("sk_test_local")))
}

/// A payment intent with these fields instead of those of a new one.
fn intent(fields: &Value) -> Value {
    let mut intent = json!({
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "object": "payment_intent",
        "amount": 1999,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": null,
        "automatic_payment_methods": {"allow_redirects": "never", "enabled": true},
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "manual",
        "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH",
        "confirmation_method": "automatic",
        "created": 1_795_176_000,
        "currency": "eur",
        "customer": null,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": {"order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "attempt": "1"},
        "next_action": null,
        "payment_method": "pm_1MqLiJLkdIwHu7ix",
        "payment_method_types": ["card"],
        "processing": null,
        "status": "requires_confirmation",
        "transfer_data": null,
    });
    for (name, value) in fields.as_object().unwrap() {
        intent[name] = value.clone();
    }
    intent
}

fn refund(status: &str) -> Value {
    json!({
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ",
        "object": "refund",
        "amount": 1999,
        "balance_transaction": "txn_1Nispe2eZvKYlo2CYezqFhEx",
        "charge": "ch_1NirD82eZvKYlo2CIvbtLWuY",
        "created": 1_795_176_000,
        "currency": "eur",
        "destination_details": {"card": {"type": "pending"}, "type": "card"},
        "metadata": {},
        "payment_intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "reason": null,
        "status": status,
    })
}

fn error(status: u16, error: &Value) -> Next {
    Next::json(status, &json!({ "error": error }))
}

async fn confirmed(next: Next) -> Result<Intent, StripeError> {
    client(&Provider::that([next])).confirm("pi_1", None).await
}

#[tokio::test]
async fn every_request_has_the_key_the_version_and_the_idempotency_key() {
    let answers = (0..7).map(|call| match call {
        4 => Next::json(200, &refund("succeeded")),
        6 => Next::json(200, &json!({"object": "list", "url": "/v1/refunds", "has_more": false, "data": [refund("pending")]})),
        _ => Next::json(200, &intent(&json!({}))),
    });
    let provider = Provider::that(answers);
    let (client, attempt) = (client(&provider), attempt());
    let new = NewIntent { amount: money(1999, "EUR"), payment_method: "pm_1", capture: CaptureMethod::Manual, attempt: &attempt };
    client.create_intent(&new, "create").await.unwrap();
    client.confirm("pi_1", None).await.unwrap();
    client.capture("pi_1").await.unwrap();
    client.cancel("pi_1").await.unwrap();
    client.create_refund("pi_1", Some((money(5, "EUR"), "refund"))).await.unwrap();
    client.retrieve("pi_1").await.unwrap();
    assert_eq!(client.refunds("pi_1").await.unwrap().data.len(), 1);

    let asked = provider.asked();
    let lines: Vec<_> = asked.iter().map(|asked| (asked.line.as_str(), asked.header("idempotency-key"))).collect();
    assert_eq!(
        lines,
        [
            ("POST https://api.stripe.invalid/v1/payment_intents", Some("create")),
            ("POST https://api.stripe.invalid/v1/payment_intents/pi_1/confirm", None),
            ("POST https://api.stripe.invalid/v1/payment_intents/pi_1/capture", None),
            ("POST https://api.stripe.invalid/v1/payment_intents/pi_1/cancel", None),
            ("POST https://api.stripe.invalid/v1/refunds", Some("refund")),
            ("GET https://api.stripe.invalid/v1/payment_intents/pi_1", None),
            ("GET https://api.stripe.invalid/v1/refunds?payment_intent=pi_1&limit=100", None),
        ]
    );
    for asked in asked {
        assert_eq!(asked.header("authorization"), Some("Bearer sk_test_local"));
        assert_eq!(asked.header("stripe-version"), Some("2026-10-28.endive"));
        let is_form = asked.header("content-type") == Some("application/x-www-form-urlencoded");
        assert_eq!(is_form, asked.line.starts_with("POST"), "{}", asked.line);
    }
}

#[tokio::test]
async fn a_new_intent_names_amount_method_capture_and_order() {
    for (capture, expected) in [(CaptureMethod::Manual, "manual"), (CaptureMethod::Automatic, "automatic")] {
        let provider = Provider::that([Next::json(200, &intent(&json!({})))]);
        let attempt = attempt();
        let new = NewIntent { amount: money(5, "ISK"), payment_method: "pm_1", capture, attempt: &attempt };
        let made = client(&provider).create_intent(&new, CALL_KEY).await.unwrap();
        assert_eq!((made.status, made.metadata["attempt"].as_str()), (IntentStatus::RequiresConfirmation, "1"));
        let expected = format!(
            "amount=500&currency=isk&payment_method=pm_1&capture_method={expected}&\
             automatic_payment_methods%5Benabled%5D=true&automatic_payment_methods%5Ballow_redirects%5D=never&\
             metadata%5Border_id%5D=demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D&metadata%5Battempt%5D=1"
        );
        assert_eq!(provider.asked_once().body, expected);
    }
}

#[tokio::test]
async fn a_return_url_and_a_part_to_refund_are_optional() {
    let provider = Provider::that([Next::json(200, &intent(&json!({}))), Next::json(200, &refund("succeeded"))]);
    client(&provider).confirm("pi_1", Some("https://shop.example.com/orders?id=1")).await.unwrap();
    client(&provider).create_refund("pi_1", Some((money(5, "ISK"), CALL_KEY))).await.unwrap();
    let bodies: Vec<_> = provider.asked().into_iter().map(|asked| asked.body).collect();
    let part = format!("payment_intent=pi_1&amount=500&metadata%5Bpart%5D={CALL_KEY}");
    assert_eq!(bodies, ["return_url=https%3A%2F%2Fshop.example.com%2Forders%3Fid%3D1", &part]);
}

#[tokio::test]
async fn an_amount_that_stripe_does_not_charge_is_not_sent() {
    let provider = Provider::default();
    let (client, attempt) = (client(&provider), attempt());
    let fraction = money(5_124, "KWD");
    let new = NewIntent { amount: fraction, payment_method: "pm_1", capture: CaptureMethod::Manual, attempt: &attempt };
    let refused = client.create_intent(&new, CALL_KEY).await.unwrap_err();
    assert_eq!(refused, StripeError::Amount(CannotCharge::Fraction(fraction)));
    assert_eq!(client.create_refund("pi_1", Some((fraction, CALL_KEY))).await.unwrap_err(), refused);
    assert_eq!(refused.certainty(), Certainty::NoEffect);
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn every_status_of_an_intent_is_read() {
    for (status, expected) in [
        ("requires_payment_method", IntentStatus::RequiresPaymentMethod),
        ("requires_confirmation", IntentStatus::RequiresConfirmation),
        ("requires_action", IntentStatus::RequiresAction),
        ("processing", IntentStatus::Processing),
        ("requires_capture", IntentStatus::RequiresCapture),
        ("canceled", IntentStatus::Canceled),
        ("succeeded", IntentStatus::Succeeded),
        ("requires_patience", IntentStatus::Other("requires_patience".to_owned())),
    ] {
        let read = confirmed(Next::json(200, &intent(&json!({"status": status})))).await.unwrap();
        assert_eq!(read.status, expected);
    }
}

#[tokio::test]
async fn an_intent_tells_what_is_reserved_and_what_was_charged() {
    let reserved = json!({"status": "requires_capture", "amount_capturable": 1999, "latest_charge": "ch_1"});
    let read = confirmed(Next::json(200, &intent(&reserved))).await.unwrap();
    assert_eq!((read.capturable(), read.received()), (Some(money(1999, "EUR")), None));
    assert_eq!((read.amount, read.latest_charge.as_deref()), (1999, Some("ch_1")));

    let charged = json!({"status": "succeeded", "amount": 500, "amount_received": 500, "currency": "ugx"});
    let read = confirmed(Next::json(200, &intent(&charged))).await.unwrap();
    assert_eq!((read.capturable(), read.received()), (None, Some(money(5, "UGX"))));
}

#[tokio::test]
async fn an_action_has_its_kind_and_a_redirect_its_url() {
    let there_and_back = json!({"url": "https://hooks.stripe.invalid/3ds", "return_url": "https://shop.example.com"});
    let redirect = json!({"type": "redirect_to_url", "redirect_to_url": there_and_back});
    let sdk = json!({"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}});
    let other = json!({"type": "display_qr", "display_qr": {}});
    for (action, kind, url) in [
        (redirect, NextActionKind::RedirectToUrl, Some("https://hooks.stripe.invalid/3ds")),
        (sdk, NextActionKind::UseStripeSdk, None),
        (other, NextActionKind::Other("display_qr".to_owned()), None),
    ] {
        let read =
            confirmed(Next::json(200, &intent(&json!({"status": "requires_action", "next_action": action})))).await.unwrap();
        assert_eq!(read.next_action, Some(NextAction { kind, url: url.map(str::to_owned) }));
    }
}

#[tokio::test]
async fn every_status_of_a_refund_is_read() {
    for (status, expected) in [
        ("pending", RefundStatus::Pending),
        ("requires_action", RefundStatus::RequiresAction),
        ("succeeded", RefundStatus::Succeeded),
        ("failed", RefundStatus::Failed),
        ("canceled", RefundStatus::Canceled),
        ("lost", RefundStatus::Other("lost".to_owned())),
    ] {
        let provider = Provider::that([Next::json(200, &refund(status))]);
        let read = client(&provider).create_refund("pi_1", None).await.unwrap();
        assert_eq!((&read.status, read.money()), (&expected, Some(money(1999, "EUR"))));
    }
}

#[tokio::test]
async fn a_refused_card_says_why_and_leaves_the_intent_to_another_one() {
    let why =
        json!({"code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds."});
    let after = intent(&json!({"status": "requires_payment_method", "last_payment_error": why}));
    let declined = error(
        402,
        &json!({
            "type": "card_error",
            "charge": "ch_1",
            "code": "card_declined",
            "decline_code": "insufficient_funds",
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": "Your card has insufficient funds.",
            "payment_intent": after,
        }),
    );
    let refused = confirmed(declined).await.unwrap_err();
    assert_eq!(refused.certainty(), Certainty::Failed);
    let StripeError::Card { why, intent: Some(intent) } = refused else { panic!("{refused:?}") };
    assert_eq!((why.code.as_deref(), why.decline_code.as_deref()), (Some("card_declined"), Some("insufficient_funds")));
    assert_eq!((&intent.status, intent.last_payment_error.as_ref()), (&IntentStatus::RequiresPaymentMethod, Some(&why)));
}

#[tokio::test]
async fn a_refused_card_is_certain_only_if_the_intent_agrees() {
    for (status, certainty) in [
        ("requires_payment_method", Certainty::Failed),
        ("requires_confirmation", Certainty::Failed),
        ("canceled", Certainty::Failed),
        ("requires_capture", Certainty::Unknown),
        ("processing", Certainty::Unknown),
        ("requires_action", Certainty::Unknown),
        ("succeeded", Certainty::Unknown),
        ("requires_patience", Certainty::Unknown),
    ] {
        let refused = error(402, &json!({"type": "card_error", "payment_intent": intent(&json!({"status": status}))}));
        assert_eq!(confirmed(refused).await.unwrap_err().certainty(), certainty, "{status}");
    }
    let without = error(402, &json!({"type": "card_error", "code": "expired_card", "payment_intent": {"id": 7}}));
    let refused = confirmed(without).await.unwrap_err();
    assert_eq!(refused.certainty(), Certainty::Failed);
    assert!(matches!(refused, StripeError::Card { intent: None, .. }), "{refused:?}");
}

#[tokio::test]
async fn an_operation_at_the_wrong_time_brings_the_intent_as_it_is() {
    let unexpected = json!({
        "type": "invalid_request_error",
        "code": "payment_intent_unexpected_state",
        "message": "This PaymentIntent's status is canceled.",
        "payment_intent": intent(&json!({"status": "canceled"})),
    });
    let refused = confirmed(error(400, &unexpected)).await.unwrap_err();
    assert_eq!(refused.certainty(), Certainty::NoEffect);
    assert!(matches!(refused, StripeError::UnexpectedState { intent } if intent.status == IntentStatus::Canceled));
}

#[tokio::test]
async fn every_other_refusal_is_told_apart() {
    let message = "No such payment_intent: 'pi_1'";
    let body = json!({"type": "invalid_request_error", "code": "resource_missing", "param": "intent", "message": message});
    let invalid = StripeError::Invalid {
        code: Some("resource_missing".to_owned()),
        param: Some("intent".to_owned()),
        message: Some(message.to_owned()),
    };
    let reused =
        json!({"type": "idempotency_error", "message": "Keys for idempotent requests can only be used with the same parameters"});
    let in_use = json!({"type": "idempotency_error", "code": "idempotency_key_in_use"});
    let busy = json!({"type": "invalid_request_error", "code": "lock_timeout"});
    let limited = Next::Answer(429, vec![("Retry-After", "2")], "{}".to_owned());
    for (next, expected, certainty) in [
        (error(404, &body), invalid.clone(), Certainty::NoEffect),
        (error(400, &body), invalid, Certainty::NoEffect),
        (error(400, &reused), StripeError::Idempotency, Certainty::NoEffect),
        (error(409, &in_use), StripeError::KeyInUse, Certainty::Unknown),
        (error(429, &busy), StripeError::RateLimited { retry_after: None }, Certainty::NoEffect),
        (limited, StripeError::RateLimited { retry_after: Some(2) }, Certainty::NoEffect),
        (error(401, &json!({"type": "invalid_request_error"})), StripeError::Auth, Certainty::NoEffect),
        (error(403, &json!({"type": "invalid_request_error"})), StripeError::Auth, Certainty::NoEffect),
        (error(500, &json!({"type": "api_error"})), StripeError::Server(500), Certainty::Unknown),
        (Next::Answer(503, Vec::new(), "busy".to_owned()), StripeError::Server(503), Certainty::Unknown),
        (error(424, &json!({"type": "api_error"})), StripeError::Server(424), Certainty::Unknown),
        (Next::Refused, StripeError::NotSent, Certainty::NoEffect),
        (Next::Broken, StripeError::NoAnswer, Certainty::Unknown),
        // A firewall between here and Stripe may answer with any status; only Stripe's own words are believed.
        (Next::Answer(400, Vec::new(), "<html>".to_owned()), StripeError::Unreadable(400), Certainty::Unknown),
        (Next::Answer(402, Vec::new(), String::new()), StripeError::Unreadable(402), Certainty::Unknown),
        (Next::Answer(302, Vec::new(), String::new()), StripeError::Unreadable(302), Certainty::Unknown),
        (Next::Answer(200, Vec::new(), "{".to_owned()), StripeError::Unreadable(200), Certainty::Unknown),
        (Next::json(200, &json!({"id": "pi_1", "object": "payment_intent"})), StripeError::Unreadable(200), Certainty::Unknown),
    ] {
        let refused = confirmed(next).await.unwrap_err();
        assert_eq!((&refused, refused.certainty()), (&expected, certainty));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_stripe_leaves_the_outcome_open_after_four_seconds() {
    let started = tokio::time::Instant::now();
    assert_eq!(confirmed(Next::Silence).await, Err(StripeError::NoAnswer));
    assert_eq!(started.elapsed().as_secs(), 4);
}

#[tokio::test]
async fn neither_the_key_nor_a_client_secret_is_printed() {
    let provider = Provider::that([Next::json(200, &intent(&json!({})))]);
    let client = client(&provider);
    let intent = client.retrieve("pi_1").await.unwrap();
    assert!(intent.client_secret.as_ref().unwrap().expose().contains("_secret_"));
    let state = StripeError::UnexpectedState { intent: Box::new(intent.clone()) };
    for printed in [format!("{client:?}"), format!("{intent:?}"), format!("{state:?} {state}")] {
        assert!(!printed.contains("sk_test_local") && !printed.contains("_secret_"), "{printed}");
    }
}

/// The shop replaces the account's key, and ends the old one at Stripe.
#[tokio::test(start_paused = true)]
async fn a_request_that_the_old_key_may_not_make_is_made_again_by_the_new_one_and_is_the_same() {
    let no = || error(401, &json!({"type": "invalid_request_error", "message": "Expired API Key provided"}));
    let yes = || Next::json(200, &intent(&json!({})));
    let provider = Provider::that([yes(), no(), yes(), no(), no()]);
    let store = Replaced::with(r#"{"secret_key": "sk_old"}"#);
    let keys = Keys::new(account(), Arc::clone(&store) as _);
    let (client, attempt) = (StripeClient::new(provider.http(), "https://api.stripe.invalid/", keys), attempt());
    let new = NewIntent { amount: money(1999, "EUR"), payment_method: "pm_1", capture: CaptureMethod::Manual, attempt: &attempt };
    client.create_intent(&new, "first").await.unwrap();
    store.by(r#"{"secret_key": "sk_new"}"#);
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    client.create_intent(&new, "second").await.unwrap();
    let asked = provider.asked();
    let by: Vec<_> = asked.iter().map(|asked| (asked.header("authorization"), asked.header("idempotency-key"))).collect();
    assert_eq!(
        by,
        [
            (Some("Bearer sk_old"), Some("first")),
            (Some("Bearer sk_old"), Some("second")),
            (Some("Bearer sk_new"), Some("second")),
        ]
    );
    assert_eq!((&asked[1].line, &asked[1].body), (&asked[2].line, &asked[2].body));
    // A key that nobody has replaced is not tried twice.
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    assert!(matches!(client.create_intent(&new, "third").await, Err(StripeError::Auth)));
    assert_eq!(provider.asked().len(), 4);
}
