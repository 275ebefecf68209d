//! The client against answers in the shapes of PayPal's API specifications.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{Clock, GatewayName, IdempotencyKey, Money, SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::{
    CannotCharge, Keys, PaypalKeys,
    http::{Certainty, Secret},
    testing::{Next, Provider, Replaced},
};

pub(super) const CALL_ID: &str = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1";

/// A clock that a test moves.
#[derive(Clone, Default)]
pub(super) struct HandClock(Arc<AtomicI64>);

impl HandClock {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        start.checked_add(SignedDuration::from_secs(self.0.load(Ordering::Relaxed))).unwrap()
    }
}

fn client_at(provider: &Provider, clock: HandClock) -> PaypalClient {
    let client_secret = Secret::new("secret_test_local".to_owned());
    let keys = PaypalKeys { client_id: "client".to_owned(), client_secret, webhook_id: None };
    let keys = Keys::fixed(GatewayName("paypal".to_owned()), keys);
    PaypalClient::new(provider.http(), "https://api-m.paypal.invalid/", keys, Arc::new(clock))
}

pub(super) fn client(provider: &Provider) -> PaypalClient {
    client_at(provider, HandClock::default())
}

pub(super) fn money(amount_minor: i64, currency: &str) -> Money {
    Money::new(amount_minor, currency.parse().unwrap()).unwrap()
}

/// The answer with an access token that lasts nine hours.
fn token(text: &str) -> Next {
    Next::json(
        200,
        &json!({
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": text,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": 32_400,
            "nonce": "2026-11-20T12:00:00Z",
        }),
    )
}

/// The answers after that with a token.
pub(super) fn after_token(next: impl IntoIterator<Item = Next>) -> Provider {
    Provider::that([token("first")].into_iter().chain(next))
}

fn eur(value: &str) -> Value {
    json!({"currency_code": "EUR", "value": value})
}

pub(super) fn authorization(status: &str) -> Value {
    json!({
        "id": "0AW2184448108334S",
        "status": status,
        "status_details": {"reason": "PENDING_REVIEW"},
        "amount": eur("19.99"),
        "custom_id": CALL_ID,
        "expiration_time": "2026-12-19T12:00:00Z",
        "seller_protection": {"status": "ELIGIBLE"},
        "create_time": "2026-11-20T12:00:00Z",
        "links": [{"rel": "capture", "method": "POST", "href": "https://api-m.paypal.invalid/x"}],
    })
}

pub(super) fn order(status: &str, payments: &Value) -> Value {
    json!({
        "id": "5O190127TN364715T",
        "intent": "AUTHORIZE",
        "status": status,
        "payment_source": {"paypal": {}},
        "purchase_units": [{
            "reference_id": "default",
            "amount": eur("19.99"),
            "payee": {"email_address": "shop@example.com", "merchant_id": "C7CYMKZDG8D6E"},
            "custom_id": CALL_ID,
            "payments": payments,
        }],
        "create_time": "2026-11-20T12:00:00Z",
        "links": [
            {"href": "https://api-m.paypal.invalid/v2/checkout/orders/5O190127TN364715T", "rel": "self", "method": "GET"},
            {"href": "https://www.paypal.invalid/checkoutnow?token=5O190127TN364715T", "rel": "payer-action", "method": "GET"},
        ],
    })
}

pub(super) fn capture(status: &str) -> Value {
    json!({
        "id": "2GG279541U471931P",
        "status": status,
        "status_details": {"reason": "ECHECK"},
        "amount": eur("19.99"),
        "final_capture": true,
        "custom_id": CALL_ID,
        "seller_receivable_breakdown": {"gross_amount": eur("19.99"), "paypal_fee": eur("1.04"), "net_amount": eur("18.95")},
    })
}

pub(super) fn refund(status: &str) -> Value {
    json!({
        "id": "1JU08902781691411",
        "status": status,
        "amount": eur("19.99"),
        "custom_id": CALL_ID,
        "seller_payable_breakdown": {"gross_amount": eur("19.99"), "total_refunded_amount": eur("19.99")},
    })
}

pub(super) fn refused(status: u16, name: &str, issue: &str) -> Next {
    let details = json!([{"issue": issue, "description": "Why.", "field": "/x", "location": "body"}]);
    Next::json(
        status,
        &json!({"name": name, "details": details, "message": "It failed.", "debug_id": "90957fca61718", "links": []}),
    )
}

async fn authorized(next: Next) -> Result<Order, PaypalError> {
    client(&after_token([next])).authorize("ORDER", CALL_ID).await
}

#[tokio::test]
async fn every_request_has_the_token_and_every_change_its_request_id() {
    let provider = after_token([
        Next::json(201, &order("PAYER_ACTION_REQUIRED", &json!({}))),
        Next::json(201, &order("COMPLETED", &json!({"authorizations": [authorization("CREATED")]}))),
        Next::json(201, &capture("COMPLETED")),
        Next::Answer(204, Vec::new(), String::new()),
        Next::json(201, &refund("COMPLETED")),
        Next::json(200, &order("APPROVED", &json!({}))),
        Next::json(200, &authorization("CREATED")),
        Next::json(200, &capture("COMPLETED")),
        Next::json(200, &refund("COMPLETED")),
    ]);
    let client = client(&provider);
    let attempt = IdempotencyKey { order: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(), attempt: 1 };
    let (return_url, cancel_url) = ("https://shop.example.com/back", "https://shop.example.com/cancelled");
    let new = NewOrder { amount: money(1999, "EUR"), attempt: &attempt, return_url, cancel_url };
    client.create_order(&new, "create").await.unwrap();
    client.authorize("O", "authorize").await.unwrap();
    client.capture_authorization("A", "capture").await.unwrap();
    client.void("A", "void").await.unwrap();
    client.refund_capture("C", None, "refund").await.unwrap();
    client.get_order("O").await.unwrap();
    client.get_authorization("A").await.unwrap();
    client.get_capture("C").await.unwrap();
    client.get_refund("R").await.unwrap();

    let asked = provider.asked();
    let lines: Vec<_> =
        asked.iter().map(|one| (one.line.as_str(), one.header("paypal-request-id"), one.header("prefer"))).collect();
    let whole = Some("return=representation");
    assert_eq!(
        lines,
        [
            ("POST https://api-m.paypal.invalid/v1/oauth2/token", None, None),
            ("POST https://api-m.paypal.invalid/v2/checkout/orders", Some("create"), whole),
            ("POST https://api-m.paypal.invalid/v2/checkout/orders/O/authorize", Some("authorize"), whole),
            ("POST https://api-m.paypal.invalid/v2/payments/authorizations/A/capture", Some("capture"), whole),
            ("POST https://api-m.paypal.invalid/v2/payments/authorizations/A/void", Some("void"), None),
            ("POST https://api-m.paypal.invalid/v2/payments/captures/C/refund", Some("refund"), whole),
            ("GET https://api-m.paypal.invalid/v2/checkout/orders/O", None, None),
            ("GET https://api-m.paypal.invalid/v2/payments/authorizations/A", None, None),
            ("GET https://api-m.paypal.invalid/v2/payments/captures/C", None, None),
            ("GET https://api-m.paypal.invalid/v2/payments/refunds/R", None, None),
        ]
    );
    // "client:secret_test_local"
    assert_eq!(asked[0].header("authorization"), Some("Basic Y2xpZW50OnNlY3JldF90ZXN0X2xvY2Fs"));
    assert_eq!(asked[0].body, "grant_type=client_credentials");
    assert!(asked[1..].iter().all(|one| one.header("authorization") == Some("Bearer first")));
    assert!(asked[1..6].iter().all(|one| one.header("content-type") == Some("application/json")));
    assert_eq!((asked[3].json(), asked[5].json()), (json!({"final_capture": true}), json!({})));
    let context = json!({
        "return_url": return_url,
        "cancel_url": cancel_url,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
    });
    let expected = json!({
        "intent": "AUTHORIZE",
        "purchase_units": [{"custom_id": CALL_ID, "amount": eur("19.99")}],
        "payment_source": {"paypal": {"experience_context": context}},
    });
    assert_eq!(asked[1].json(), expected);
}

#[tokio::test]
async fn an_amount_that_paypal_does_not_charge_is_not_sent() {
    let provider = Provider::default();
    let fraction = money(50, "HUF");
    let error = client(&provider).refund_capture("C", Some(fraction), CALL_ID).await.unwrap_err();
    assert_eq!((&error, error.certainty()), (&PaypalError::Amount(CannotCharge::Fraction(fraction)), Certainty::NoEffect));
    assert!(provider.asked().is_empty());

    let provider = after_token([Next::json(201, &refund("COMPLETED"))]);
    client(&provider).refund_capture("C", Some(money(5_000, "HUF")), CALL_ID).await.unwrap();
    assert_eq!(provider.asked()[1].json(), json!({"amount": {"currency_code": "HUF", "value": "50"}, "custom_id": CALL_ID}));
}

#[tokio::test]
async fn an_order_says_where_to_approve_it_and_what_was_reserved() {
    let read =
        authorized(Next::json(201, &order("COMPLETED", &json!({"authorizations": [authorization("CREATED")]})))).await.unwrap();
    assert_eq!((read.status, read.custom_id.as_deref()), (OrderStatus::Completed, Some(CALL_ID)));
    assert_eq!(read.approval_url.as_deref(), Some("https://www.paypal.invalid/checkoutnow?token=5O190127TN364715T"));
    assert_eq!(read.amount.unwrap().money(), Some(money(1999, "EUR")));
    assert_eq!(
        (read.authorizations[0].id.as_str(), &read.authorizations[0].status),
        ("0AW2184448108334S", &AuthorizationStatus::Created)
    );

    assert_eq!((read.intent, read.payee.as_deref()), (Some(OrderIntent::Authorize), Some("C7CYMKZDG8D6E")));

    let payments =
        json!({"authorizations": [authorization("CAPTURED")], "captures": [capture("REFUNDED")], "refunds": [refund("PENDING")]});
    let read = authorized(Next::json(200, &order("COMPLETED", &payments))).await.unwrap();
    let statuses = (&read.authorizations[0].status, &read.captures[0].status, &read.refunds[0].status);
    assert_eq!(statuses, (&AuthorizationStatus::Captured, &CaptureStatus::Refunded, &RefundStatus::Pending));

    let minimal =
        json!({"id": "O", "status": "CREATED", "links": [{"href": "https://x.invalid", "rel": "approve", "method": "GET"}]});
    let read = authorized(Next::json(200, &minimal)).await.unwrap();
    assert_eq!((read.amount, read.authorizations, read.approval_url.as_deref()), (None, Vec::new(), Some("https://x.invalid")));
}

#[tokio::test]
async fn every_status_is_read() {
    let client = |body: &Value| client(&after_token([Next::json(200, body)]));
    for (word, expected) in [
        ("CREATED", OrderStatus::Created),
        ("SAVED", OrderStatus::Saved),
        ("PAYER_ACTION_REQUIRED", OrderStatus::PayerActionRequired),
        ("APPROVED", OrderStatus::Approved),
        ("COMPLETED", OrderStatus::Completed),
        ("VOIDED", OrderStatus::Voided),
        ("NEW", OrderStatus::Other("NEW".to_owned())),
    ] {
        assert_eq!(client(&order(word, &json!(null))).get_order("O").await.unwrap().status, expected);
    }
    for (word, expected) in [
        ("CREATED", AuthorizationStatus::Created),
        ("PENDING", AuthorizationStatus::Pending),
        ("CAPTURED", AuthorizationStatus::Captured),
        ("PARTIALLY_CAPTURED", AuthorizationStatus::PartiallyCaptured),
        ("VOIDED", AuthorizationStatus::Voided),
        ("DENIED", AuthorizationStatus::Denied),
        ("NEW", AuthorizationStatus::Other("NEW".to_owned())),
    ] {
        let read = client(&authorization(word)).get_authorization("A").await.unwrap();
        assert_eq!((read.status, read.reason.as_deref()), (expected, Some("PENDING_REVIEW")));
    }
    for (word, expected) in [
        ("COMPLETED", CaptureStatus::Completed),
        ("PENDING", CaptureStatus::Pending),
        ("DECLINED", CaptureStatus::Declined),
        ("FAILED", CaptureStatus::Failed),
        ("PARTIALLY_REFUNDED", CaptureStatus::PartiallyRefunded),
        ("REFUNDED", CaptureStatus::Refunded),
        ("NEW", CaptureStatus::Other("NEW".to_owned())),
    ] {
        let read = client(&capture(word)).get_capture("C").await.unwrap();
        assert_eq!((read.status, read.reason.as_deref()), (expected, Some("ECHECK")));
        assert_eq!(read.amount.unwrap().money(), Some(money(1999, "EUR")));
    }
    for (word, expected) in [
        ("COMPLETED", RefundStatus::Completed),
        ("PENDING", RefundStatus::Pending),
        ("FAILED", RefundStatus::Failed),
        ("CANCELLED", RefundStatus::Cancelled),
        ("NEW", RefundStatus::Other("NEW".to_owned())),
    ] {
        let read = client(&refund(word)).get_refund("R").await.unwrap();
        assert_eq!((read.status, read.reason), (expected, None));
    }
}

#[tokio::test]
async fn an_authorization_is_voided_with_or_without_a_body() {
    for next in [Next::Answer(204, Vec::new(), String::new()), Next::json(200, &authorization("VOIDED"))] {
        assert_eq!(client(&after_token([next])).void("A", CALL_ID).await, Ok(()));
    }
    let voided = client(&after_token([refused(422, "UNPROCESSABLE_ENTITY", "PREVIOUSLY_VOIDED")])).void("A", CALL_ID).await;
    assert!(matches!(voided, Err(PaypalError::Refused { issue: Issue::PreviouslyVoided, .. })), "{voided:?}");
}

#[tokio::test]
async fn a_refusal_says_where_the_shopper_can_put_it_right() {
    for (relation, expected) in
        [("payer-action", Some("https://x.invalid")), ("redirect", Some("https://x.invalid")), ("self", None)]
    {
        let links = json!([{"href": "https://x.invalid", "rel": relation, "method": "GET"}]);
        let details = json!([{"issue": "PAYER_ACTION_REQUIRED"}]);
        let error = authorized(Next::json(422, &json!({"details": details, "links": links}))).await.unwrap_err();
        assert!(matches!(&error, PaypalError::Refused { payer_url, .. } if payer_url.as_deref() == expected), "{error:?}");
        assert_eq!((error.issue(), error.certainty()), (Some(&Issue::PayerActionRequired), Certainty::NoEffect));
    }
}

#[tokio::test]
async fn every_refusal_is_told_apart() {
    let because = |issue| PaypalError::Refused {
        issue,
        description: Some("Why.".to_owned()),
        debug_id: Some("90957fca61718".to_owned()),
        payer_url: None,
    };
    let malformed = PaypalError::Invalid {
        issue: Issue::Other("MISSING_REQUIRED_PARAMETER".to_owned()),
        description: Some("Why.".to_owned()),
        debug_id: Some("90957fca61718".to_owned()),
    };
    let without_details = Next::json(422, &json!({"name": "UNPROCESSABLE_ENTITY", "message": "It failed."}));
    let by_name = PaypalError::Refused {
        issue: Issue::Other("UNPROCESSABLE_ENTITY".to_owned()),
        description: Some("It failed.".to_owned()),
        debug_id: None,
        payer_url: None,
    };
    let semantic = |issue: &str| refused(422, "UNPROCESSABLE_ENTITY", issue);
    for (next, expected, certainty) in [
        (semantic("INSTRUMENT_DECLINED"), because(Issue::InstrumentDeclined), Certainty::Failed),
        (semantic("TRANSACTION_REFUSED"), because(Issue::TransactionRefused), Certainty::Failed),
        (semantic("ORDER_NOT_APPROVED"), because(Issue::OrderNotApproved), Certainty::NoEffect),
        (semantic("ORDER_ALREADY_AUTHORIZED"), because(Issue::OrderAlreadyAuthorized), Certainty::NoEffect),
        (semantic("AUTHORIZATION_ALREADY_CAPTURED"), because(Issue::AuthorizationAlreadyCaptured), Certainty::NoEffect),
        (semantic("NEW_ISSUE"), because(Issue::Other("NEW_ISSUE".to_owned())), Certainty::Failed),
        (without_details, by_name, Certainty::Failed),
        (refused(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER"), malformed, Certainty::NoEffect),
        (refused(403, "NOT_AUTHORIZED", "PERMISSION_DENIED"), PaypalError::Auth, Certainty::NoEffect),
        (refused(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"), PaypalError::NotFound, Certainty::NoEffect),
        (refused(409, "RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS"), PaypalError::InProgress, Certainty::Unknown),
        (
            Next::Answer(429, vec![("retry-after", "5")], "{}".to_owned()),
            PaypalError::RateLimited { retry_after: Some(5) },
            Certainty::NoEffect,
        ),
        (refused(500, "INTERNAL_SERVER_ERROR", "INTERNAL_SERVER_ERROR"), PaypalError::Server(500), Certainty::Unknown),
        (Next::Answer(503, Vec::new(), String::new()), PaypalError::Server(503), Certainty::Unknown),
        (Next::Refused, PaypalError::NotSent, Certainty::NoEffect),
        (Next::Broken, PaypalError::NoAnswer, Certainty::Unknown),
        (Next::Answer(422, Vec::new(), "<html>".to_owned()), PaypalError::Unreadable(422), Certainty::Unknown),
        (Next::json(422, &json!({})), PaypalError::Unreadable(422), Certainty::Unknown),
        (Next::json(302, &json!({})), PaypalError::Unreadable(302), Certainty::Unknown),
        (Next::json(201, &json!({"id": "O"})), PaypalError::Unreadable(201), Certainty::Unknown),
    ] {
        let error = authorized(next).await.unwrap_err();
        assert_eq!((&error, error.certainty()), (&expected, certainty));
    }
}

#[tokio::test]
async fn a_token_is_kept_until_a_minute_before_it_expires() {
    let read = || Next::json(200, &capture("COMPLETED"));
    let provider = Provider::that([token("first"), read(), read(), token("second"), read()]);
    let clock = HandClock::default();
    let client = client_at(&provider, clock.clone());
    client.get_capture("C").await.unwrap();
    clock.pass(32_400 - 61);
    client.get_capture("C").await.unwrap();
    clock.pass(1);
    client.get_capture("C").await.unwrap();
    let used: Vec<_> = provider.asked().into_iter().filter_map(|one| one.header("authorization").map(str::to_owned)).collect();
    let expected = ["Basic", "Bearer first", "Bearer first", "Basic", "Bearer second"];
    assert!(used.iter().zip(expected).all(|(used, expected)| used.starts_with(expected)), "{used:?}");
    assert_eq!(used.len(), expected.len());
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_request_is_the_same() {
    let denied =
        || Next::json(401, &json!({"error": "invalid_token", "error_description": "Token signature verification failed"}));
    let made = || Next::json(201, &capture("COMPLETED"));
    let provider = after_token([denied(), token("second"), made()]);
    client(&provider).capture_authorization("A", CALL_ID).await.unwrap();
    let asked = provider.asked();
    assert_eq!(
        (asked[1].header("authorization"), asked[3].header("authorization")),
        (Some("Bearer first"), Some("Bearer second"))
    );
    assert_eq!((&asked[1].line, &asked[1].body), (&asked[3].line, &asked[3].body));
    assert_eq!((asked[1].header("paypal-request-id"), asked[3].header("paypal-request-id")), (Some(CALL_ID), Some(CALL_ID)));

    let provider = after_token([denied(), token("second"), denied()]);
    let client = client(&provider);
    assert_eq!(client.capture_authorization("A", CALL_ID).await, Err(PaypalError::Auth));
    assert_eq!(provider.asked().len(), 4);
}

#[tokio::test]
async fn without_a_token_nothing_was_sent() {
    for (next, expected) in [
        (
            Next::json(401, &json!({"error": "invalid_client", "error_description": "Client Authentication failed"})),
            PaypalError::Auth,
        ),
        (Next::json(500, &json!({})), PaypalError::NotSent),
        (Next::json(200, &json!({})), PaypalError::NotSent),
        (Next::Answer(429, vec![("retry-after", "3")], String::new()), PaypalError::RateLimited { retry_after: Some(3) }),
        (Next::Refused, PaypalError::NotSent),
        (Next::Broken, PaypalError::NotSent),
    ] {
        let provider = Provider::that([next]);
        let error = client(&provider).capture_authorization("A", CALL_ID).await.unwrap_err();
        assert_eq!((&error, error.certainty(), provider.asked().len()), (&expected, Certainty::NoEffect, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_at_the_same_time_fetch_one_token() {
    let slow =
        Next::After(std::time::Duration::from_secs(1), 200, json!({"access_token": "first", "expires_in": 32_400}).to_string());
    let read = || Next::json(200, &capture("COMPLETED"));
    let provider = Provider::that([slow, read(), read(), read()]);
    let client = client(&provider);
    let (one, two, three) = tokio::join!(client.get_capture("C"), client.get_capture("C"), client.get_capture("C"));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(provider.asked().iter().filter(|one| one.line.ends_with("/token")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_after_four_seconds_with_its_token() {
    let late = |seconds| {
        let body = json!({"access_token": "first", "expires_in": 32_400}).to_string();
        Next::After(std::time::Duration::from_secs(seconds), 200, body)
    };
    for (script, expected) in [
        (vec![late(3), Next::Silence], PaypalError::NoAnswer),
        (vec![late(5)], PaypalError::NotSent),
        (vec![Next::Silence], PaypalError::NotSent),
    ] {
        let started = tokio::time::Instant::now();
        assert_eq!(client(&Provider::that(script)).capture_authorization("A", CALL_ID).await, Err(expected));
        assert_eq!(started.elapsed().as_secs(), 4);
    }
}

#[tokio::test]
async fn neither_secret_nor_token_is_printed() {
    let provider = after_token([Next::json(200, &capture("COMPLETED"))]);
    let client = client(&provider);
    client.get_capture("C").await.unwrap();
    let printed = format!("{client:?}");
    assert!(!printed.contains("secret") && !printed.contains("first"), "{printed}");
}

/// The shop replaces the app's secret, and ends the old one at PayPal.
#[tokio::test(start_paused = true)]
async fn a_token_that_the_old_secret_does_not_get_is_fetched_with_the_new_one() {
    let no = || Next::json(401, &json!({"error": "invalid_client"}));
    let read = || Next::json(200, &order("CREATED", &json!(null)));
    let provider = Provider::that([token("first"), read(), no(), token("second"), read()]);
    let store = Replaced::with(r#"{"client_id": "client", "client_secret": "old"}"#);
    let keys = Keys::new(GatewayName("paypal".to_owned()), Arc::clone(&store) as _);
    let clock = HandClock::default();
    let client = PaypalClient::new(provider.http(), "https://api-m.paypal.invalid/", keys, Arc::new(clock.clone()));
    client.get_order("O").await.unwrap();
    store.by(r#"{"client_id": "client", "client_secret": "new"}"#);
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    clock.pass(32_400);
    client.get_order("O").await.unwrap();
    let asked = provider.asked();
    let by: Vec<_> = asked.iter().map(|asked| asked.header("authorization").unwrap()).collect();
    // Base 64 of `client:old` and `client:new`.
    assert_eq!(
        by,
        ["Basic Y2xpZW50Om9sZA==", "Bearer first", "Basic Y2xpZW50Om9sZA==", "Basic Y2xpZW50Om5ldw==", "Bearer second"]
    );
}
