//! Webhooks: which events there are, their signature, and their delivery.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use fake_paypal::{Instrument, certificate_pem, signed_text};
use jiff::SignedDuration;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use test_provider::{Delivery, Provider};
use webpki::EndEntityCert;

use crate::world::{BASE_URL, WEBHOOK_ID, World, amount};

fn due(world: &mut World) -> Vec<Delivery> {
    let now = world.now;
    world.fake.due(now)
}

fn event(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn types(world: &mut World) -> Vec<String> {
    due(world).iter().map(|one| event(one)["event_type"].as_str().unwrap().to_owned()).collect()
}

/// Checks a delivery's signature with the public key of a certificate, as a receiver does.
fn is_signed(delivery: &Delivery, webhook_id: &str, body: &[u8], certificate: &str) -> bool {
    let headers: BTreeMap<&str, &str> = delivery.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let text = signed_text(headers["paypal-transmission-id"], headers["paypal-transmission-time"], webhook_id, body);
    let signature = BASE64_STANDARD.decode(headers["paypal-transmission-sig"]).unwrap();
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let certificate = EndEntityCert::try_from(&der).unwrap();
    certificate.verify_signature(webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).is_ok()
}

#[test]
fn the_signature_is_the_certificate_s_over_id_time_webhook_and_checksum() {
    let mut world = World::with_webhook();
    world.approved("AUTHORIZE", Instrument::Good);
    let delivery = due(&mut world).remove(0);
    let header = |name: &str| delivery.headers.iter().find(|(found, _)| found == name).unwrap().1.clone();
    assert_eq!(
        (header("paypal-auth-algo").as_str(), header("paypal-transmission-time").as_str()),
        ("SHA256withRSA", "2030-01-01T00:00:00Z")
    );
    let certificate = world.get(&header("paypal-cert-url"));
    assert!(header("paypal-cert-url").starts_with(&format!("{BASE_URL}/v1/notifications/certs/CERT-")));
    let certificate = certificate.body.as_str().unwrap();
    assert_eq!(certificate, certificate_pem());
    assert!(is_signed(&delivery, WEBHOOK_ID, &delivery.body, certificate));
    assert!(!is_signed(&delivery, "5JE4291016473214C", &delivery.body, certificate), "another webhook");
    let mut changed = delivery.body.clone();
    changed[20] ^= 1;
    assert!(!is_signed(&delivery, WEBHOOK_ID, &changed, certificate), "another body");
}

#[test]
fn the_checksum_is_a_crc_32_in_decimal() {
    // The check value of CRC-32 (ISO-HDLC): CRC of "123456789" is cbf43926.
    assert_eq!(signed_text("i", "t", "w", b"123456789"), "i|t|w|3421780262");
}

#[test]
fn every_step_has_its_event() {
    use Instrument::{CaptureDeclined, CapturePending, Good, RefundPending};
    let mut world = World::with_webhook();
    let authorization = world.authorized(Good);
    assert_eq!(types(&mut world), ["CHECKOUT.ORDER.APPROVED", "PAYMENT.AUTHORIZATION.CREATED"]);
    let capture = world.post(&format!("{authorization}/capture"), "", &amount("60.00"));
    world.post(capture.link("refund"), "", &Value::Null);
    world.post(&format!("{authorization}/void"), "", &Value::Null);
    assert_eq!(types(&mut world), ["PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.AUTHORIZATION.VOIDED"]);
    for (instrument, completed, events) in [
        (CaptureDeclined, true, &["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.DECLINED"][..]),
        (CapturePending, true, &["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.COMPLETED"]),
        (CapturePending, false, &["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED"]),
    ] {
        let capture = world.captured(instrument);
        let _ = world.fake.decide_capture(capture.rsplit('/').next().unwrap(), completed, world.now);
        assert_eq!(types(&mut world), events);
    }
    for (completed, end) in [(true, "PAYMENT.CAPTURE.REFUNDED"), (false, "PAYMENT.REFUND.FAILED")] {
        let capture = world.captured(RefundPending);
        let refund = world.post(&format!("{capture}/refund"), "", &Value::Null);
        world.fake.decide_refund(refund.text("/id"), completed, world.now).unwrap();
        let events = types(&mut world);
        assert_eq!(events[2..], ["PAYMENT.REFUND.PENDING", end]);
    }
}

#[test]
fn an_event_carries_the_resource_as_it_was() {
    let mut world = World::with_webhook();
    let authorization = world.authorized(Instrument::Good);
    let shown = world.get(&authorization).body;
    world.post(&format!("{authorization}/void"), "", &Value::Null);
    let event = event(&due(&mut world)[1]);
    assert_eq!(event["resource"], shown);
    assert_eq!((&event["resource_type"], &event["resource_version"]), (&json!("authorization"), &json!("2.0")));
    assert_eq!((&event["event_version"], &event["create_time"]), (&json!("1.0"), &json!("2030-01-01T00:00:00Z")));
}

#[test]
fn an_authorization_that_ends_is_voided_with_an_event_at_its_end() {
    let mut world = World::with_webhook();
    world.authorized(Instrument::Good);
    due(&mut world);
    world.hours_pass(29 * 24 + 5);
    let event = event(&due(&mut world)[0]);
    assert_eq!((&event["event_type"], &event["resource"]["status"]), (&json!("PAYMENT.AUTHORIZATION.VOIDED"), &json!("VOIDED")));
    assert_eq!(event["create_time"], "2030-01-30T00:00:00Z");
}

#[test]
fn an_event_is_delivered_again_under_its_id_until_it_is_accepted() {
    let mut world = World::with_webhook();
    world.approved("AUTHORIZE", Instrument::Good);
    let first = due(&mut world).remove(0);
    assert!(due(&mut world).is_empty(), "it is on its way");
    world.fake.delivered(&first, false, world.now);
    world.hours_pass(1);
    let second = due(&mut world).remove(0);
    assert_eq!((&second.event_id, &second.body), (&first.event_id, &first.body));
    assert_ne!(second.headers, first.headers, "each transmission has its own id, time and signature");
    assert!(is_signed(&second, WEBHOOK_ID, &second.body, certificate_pem()));
    world.fake.delivered(&second, true, world.now);
    world.passes(SignedDuration::from_hours(100));
    assert!(due(&mut world).is_empty());
}

#[test]
fn an_account_gets_its_own_events_only_and_a_test_can_configure_them_over_http() {
    let mut world = World::with_webhook();
    world.as_other().approved("AUTHORIZE", Instrument::Good);
    assert!(due(&mut world).is_empty());
    let body =
        json!({"url": "http://127.0.0.1:3/other", "secret": "OTHERWEBHOOK", "account": crate::world::OTHER, "duplicate": true});
    assert_eq!(world.post("/_fake/webhooks", "", &body).status, 200);
    world.approved("AUTHORIZE", Instrument::Good);
    let twice = due(&mut world);
    assert_eq!(twice.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(), ["http://127.0.0.1:3/other"; 2]);
    assert_eq!(twice[0].event_id, twice[1].event_id);
    assert!(is_signed(&twice[1], "OTHERWEBHOOK", &twice[1].body, certificate_pem()));
    let state = world.get("/_fake/webhooks");
    assert_eq!(state.body["waiting"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        world.post("/_fake/webhooks", "", &json!({"url": "http://127.0.0.1:3/", "secret": "W", "account": "none"})).status,
        400
    );
}
