//! Who may read and do what, and the form of refusals.

use fake_paypal::Instrument;
use http::Request;
use serde_json::Value;

use crate::world::{World, order};

#[test]
fn a_token_needs_the_account_s_id_and_secret_and_the_right_grant() {
    let mut world = World::new();
    let token = world.token_of(crate::world::ONE, "secret_one_local");
    assert_eq!((token.text("/token_type"), token.body["expires_in"].as_u64()), ("Bearer", Some(32_400)));
    for (client_id, secret) in [(crate::world::ONE, "wrong"), ("nobody", "secret_one_local"), ("", "")] {
        let refused = world.token_of(client_id, secret);
        assert_eq!((refused.status, refused.text("/error")), (401, "invalid_client"), "{client_id}");
    }
    let basic = "Basic Y2xpZW50X29uZV9sb2NhbDpzZWNyZXRfb25lX2xvY2Fs";
    let request = Request::post("/v1/oauth2/token").header("authorization", basic).body(b"grant_type=password".to_vec());
    let refused = world.sent(&request.unwrap());
    assert_eq!((refused.status, refused.text("/error")), (400, "unsupported_grant_type"));
}

#[test]
fn a_request_without_a_token_is_refused() {
    let mut world = World::new();
    let refused = world.sent(&Request::get("/v2/checkout/orders/X").body(Vec::new()).unwrap());
    assert_eq!((refused.status, refused.text("/name")), (401, "AUTHENTICATION_FAILURE"));
    let request = Request::get("/v2/checkout/orders/X").header("authorization", "Bearer of_bad_news");
    let refused = world.sent(&request.body(Vec::new()).unwrap());
    assert_eq!((refused.status, refused.text("/error")), (401, "invalid_token"));
}

#[test]
fn an_account_reaches_no_other_account_s_payments() {
    let mut world = World::new();
    let order = world.approved("AUTHORIZE", Instrument::Good);
    let authorization = world.authorized(Instrument::Good);
    let capture = world.captured(Instrument::Good);
    let refund = world.post(&format!("{capture}/refund"), "", &Value::Null).link("self").to_owned();
    world.as_other();
    for path in [&order, &authorization, &capture, &refund] {
        assert_eq!(world.get(path).outcome(), "403 PERMISSION_DENIED", "{path}");
    }
    for path in [
        format!("{order}/authorize"),
        format!("{authorization}/capture"),
        format!("{authorization}/void"),
        format!("{capture}/refund"),
    ] {
        assert_eq!(world.post(&path, "", &Value::Null).outcome(), "403 PERMISSION_DENIED", "{path}");
    }
}

#[test]
fn an_unknown_id_is_not_found() {
    let mut world = World::new();
    for path in ["checkout/orders", "payments/authorizations", "payments/captures", "payments/refunds"] {
        let refused = world.get(&format!("/v2/{path}/OR000000000000009"));
        assert_eq!((refused.outcome().as_str(), refused.text("/name")), ("404 INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND"));
    }
    for path in ["checkout/orders/X/authorize", "payments/authorizations/X/void", "payments/captures/X/refund"] {
        assert_eq!(world.post(&format!("/v2/{path}"), "", &Value::Null).outcome(), "404 INVALID_RESOURCE_ID");
    }
}

#[test]
fn a_refusal_has_paypal_s_form() {
    let mut world = World::new();
    let refused = world.post("/v2/checkout/orders", "", &order("AUTHORIZE", "1.001"));
    assert_eq!(refused.status, 422);
    assert_eq!(refused.text("/name"), "UNPROCESSABLE_ENTITY");
    assert_eq!(refused.text("/debug_id").len(), 13);
    assert_eq!(refused.text("/details/0/issue"), "DECIMAL_PRECISION");
    assert_eq!(refused.text("/details/0/field"), "/purchase_units/0/amount/value");
    assert_eq!(refused.text("/details/0/location"), "body");
    assert!(!refused.text("/details/0/description").is_empty());
    assert!(refused.link("information_link").ends_with("#error-DECIMAL_PRECISION"));
}

#[test]
fn a_body_has_to_be_json() {
    let mut world = World::new();
    let mut request = world.request("POST", "/v2/checkout/orders", &order("CAPTURE", "1.00"), &[]);
    request.headers_mut().remove("content-type");
    assert_eq!(world.sent(&request).outcome(), "415 UNSUPPORTED_MEDIA_TYPE");
    let mut request = world.request("POST", "/v2/checkout/orders", &Value::Null, &[]);
    *request.body_mut() = b"{".to_vec();
    assert_eq!(world.sent(&request).outcome(), "400 MALFORMED_REQUEST_JSON");
}

#[test]
fn what_the_fake_does_not_know_is_no_success() {
    let mut world = World::new();
    let order = world.approved("AUTHORIZE", Instrument::Good);
    let authorization = world.authorized(Instrument::Good);
    for (method, path) in [
        ("PATCH", order.clone()),
        ("POST", format!("{order}/confirm-payment-source")),
        ("POST", format!("{authorization}/reauthorize")),
        ("POST", "/v1/notifications/verify-webhook-signature".to_owned()),
    ] {
        let request = world.request(method, &path, &Value::Null, &[]);
        assert_eq!(world.sent(&request).outcome(), "501 NOT_IN_THE_FAKE", "{method} {path}");
    }
}

#[test]
fn the_same_requests_get_the_same_answers() {
    let run = || {
        let mut world = World::with_webhook();
        let authorization = world.authorized(Instrument::Good);
        let capture = world.post(&format!("{authorization}/capture"), "key", &Value::Null);
        let refund = world.post(capture.link("refund"), "key", &Value::Null);
        let now = world.now;
        (capture, refund, test_provider::Provider::due(&mut world.fake, now))
    };
    assert_eq!(run(), run());
}
