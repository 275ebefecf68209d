//! The gateway against answers that PayPal's references admit and the fake PayPal does not give.

use std::sync::Arc;

use domain::{CaptureOutcome, ChargeOutcome, GatewayName, IdempotencyKey, RefundOutcome};
use serde_json::{Value, json};

use super::PaypalGateway;
use crate::{
    LookUp, Payment, PaymentGateway,
    paypal::tests::{CALL_ID, HandClock, after_token, authorization, capture, client, money, order, refund, refused},
    testing::{Next, Provider},
};

const ID: &str = "5O190127TN364715T";

/// The payment of the order in the answers.
fn payment() -> Payment {
    Payment {
        key: IdempotencyKey { order: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(), attempt: 1 },
        amount: money(1999, "EUR"),
        method: "paypal:checkout".parse().unwrap(),
        provider_id: Some(ID.to_owned()),
        reference: None,
        began_at: "2026-11-20T12:00:00Z".parse().unwrap(),
    }
}

/// A gateway that gets these answers, and PayPal, which knows what it was asked.
fn gateway(next: impl IntoIterator<Item = Next>) -> (PaypalGateway, Provider) {
    let provider = after_token(next);
    let name = GatewayName("paypal".to_owned());
    let page = "https://shop.invalid/back".to_owned();
    (PaypalGateway::new(name, client(&provider), page, Arc::new(HandClock::default())), provider)
}

fn read(status: &str, payments: &Value) -> Next {
    Next::json(200, &order(status, payments))
}

fn authorised(authorization: &Value) -> Next {
    read("COMPLETED", &json!({ "authorizations": [authorization] }))
}

/// The requests after the one for a token, without the host.
fn asked(provider: &Provider) -> Vec<String> {
    provider.asked().iter().skip(1).map(|one| one.line.replace("https://api-m.paypal.invalid/v2", "")).collect()
}

#[tokio::test]
async fn what_is_not_the_whole_payment_settles_nothing() {
    let with = |name: &str, value: Value| {
        let mut changed = authorization("CREATED");
        changed[name] = value;
        changed
    };
    let less = json!({"currency_code": "EUR", "value": "19.98"});
    for next in [
        authorised(&with("amount", less)),
        authorised(&with("amount", Value::Null)),
        authorised(&with("custom_id", json!("demo.01JD3V3Z5T0000000000000000-1"))),
        authorised(&with("status", json!("NEW"))),
        authorised(&authorization("CAPTURED")),
        read("COMPLETED", &json!({})),
        read("NEW", &json!({})),
    ] {
        assert_eq!(gateway([next]).0.look_up(&payment()).await, LookUp::Unknown);
    }
    let whole = ChargeOutcome::Authorised { reference: "0AW2184448108334S".to_owned() };
    assert_eq!(gateway([authorised(&authorization("CREATED"))]).0.look_up(&payment()).await, LookUp::Found(whole));
}

#[tokio::test]
async fn an_answer_without_the_authorization_is_not_an_outcome() {
    let approved = || read("APPROVED", &json!({}));
    for next in [approved(), Next::json(201, &json!({"id": ID, "status": "COMPLETED"}))] {
        assert_eq!(gateway([approved(), next]).0.charge(&payment()).await, ChargeOutcome::Unknown);
    }
    let expired = gateway([approved(), refused(422, "UNPROCESSABLE_ENTITY", "ORDER_EXPIRED")]).0;
    assert!(matches!(expired.charge(&payment()).await, ChargeOutcome::Declined { .. }));
}

/// Another run authorises the order after this one has read it.
#[tokio::test]
async fn an_order_that_is_authorised_or_void_already_says_the_outcome() {
    let already = || refused(422, "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_AUTHORIZED");
    let found = ChargeOutcome::Authorised { reference: "0AW2184448108334S".to_owned() };
    for (next, expected) in [
        (authorised(&authorization("CREATED")), found),
        (authorised(&authorization("VOIDED")), ChargeOutcome::Declined { reason: "The payment was cancelled.".to_owned() }),
        (read("APPROVED", &json!({})), ChargeOutcome::Unknown),
        (Next::Answer(429, Vec::new(), String::new()), ChargeOutcome::Unknown),
        (Next::Refused, ChargeOutcome::Unknown),
    ] {
        let (gateway, provider) = gateway([read("APPROVED", &json!({})), already(), next]);
        assert_eq!(gateway.charge(&payment()).await, expected);
        let path = format!("/checkout/orders/{ID}");
        assert_eq!(asked(&provider), [format!("GET {path}"), format!("POST {path}/authorize"), format!("GET {path}")]);
        assert_eq!(provider.asked()[2].header("paypal-request-id"), Some(format!("{CALL_ID}-auth").as_str()));
    }
}

/// PayPal says that the authorization is captured, and its order does not show that yet.
#[tokio::test]
async fn a_capture_is_not_refused_because_it_was_made_before() {
    for (issue, expected) in [
        ("AUTHORIZATION_ALREADY_CAPTURED", CaptureOutcome::Unknown),
        ("PAYER_CANNOT_PAY", CaptureOutcome::Refused { reason: "PayPal refused: PAYER_CANNOT_PAY".to_owned() }),
    ] {
        let open = || authorised(&authorization("CREATED"));
        let (gateway, _) = gateway([open(), refused(422, "UNPROCESSABLE_ENTITY", issue), open()]);
        assert_eq!(gateway.capture(&payment()).await, expected, "{issue}");
    }
}

/// The capture of a pending refund may still be COMPLETED.
#[tokio::test]
async fn a_refund_on_its_way_is_not_made_again_whatever_its_capture_says() {
    for (status, expected) in [("PENDING", 1), ("COMPLETED", 1), ("FAILED", 2), ("CANCELLED", 2)] {
        let payments = json!({
            "authorizations": [authorization("CAPTURED")], "captures": [capture("COMPLETED")], "refunds": [refund(status)],
        });
        let (gateway, provider) = gateway([read("COMPLETED", &payments), Next::json(201, &refund("PENDING"))]);
        assert_eq!(gateway.refund(&payment()).await, RefundOutcome::Refunded, "{status}");
        assert_eq!(asked(&provider).len(), expected, "{status}");
    }
}

#[tokio::test]
async fn a_void_counts_when_the_order_shows_it() {
    let none = || Next::Answer(204, Vec::new(), String::new());
    for (after, expected) in [("CREATED", RefundOutcome::Unknown), ("VOIDED", RefundOutcome::Voided)] {
        let (gateway, _) = gateway([authorised(&authorization("PENDING")), none(), authorised(&authorization(after))]);
        assert_eq!(gateway.refund(&payment()).await, expected, "{after}");
    }
}
