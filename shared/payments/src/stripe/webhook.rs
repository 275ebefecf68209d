//! Verifies that an event comes from Stripe: <https://docs.stripe.com/webhooks/signature>, scheme `v1`.

use domain::{SignedDuration, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::http::Secret;

/// How far the time of the signature may be from ours, in seconds. Stripe's libraries have the same limit. Each delivery is
/// signed anew, so a late repetition passes.
const STRIPE_TOLERANCE_SECONDS: i64 = 300;

/// An event of Stripe. It says that its object changed; the object itself says how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `evt_…`: the same in every delivery of this event.
    pub id: String,
    /// Such as `payment_intent.succeeded`.
    pub kind: String,
    /// The id of the object that changed, such as `pi_…`. Some objects have none, such as an account's balance.
    pub object_id: Option<String>,
    /// When Stripe made the event.
    pub created: Timestamp,
}

/// Why a request is not taken for an event of Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The header `Stripe-Signature` has no time or no signature.
    #[error("the signature header cannot be read")]
    Header,
    /// The signature is too old, or of a time to come.
    #[error("the signature is not of this time")]
    Time,
    /// No signature was made with one of the secrets.
    #[error("no signature fits")]
    Signature,
    /// The signature fits, and the body is no event.
    #[error("the event cannot be read")]
    Event,
}

#[derive(Deserialize)]
struct EventForm {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: Option<String>,
}

/// The event in `body`, which is the request's body byte for byte, if `header` (`Stripe-Signature`) has a signature by one
/// of the `secrets`, made near `now`. There are two secrets while one is being replaced.
///
/// # Errors
/// When the request is not, or not certainly, from Stripe, or its body is no event.
pub fn verify(secrets: &[Secret], header: &str, body: &[u8], now: Timestamp) -> Result<Event, WebhookError> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let (_, signed_at) = parts().find(|(name, _)| *name == "t").ok_or(WebhookError::Header)?;
    let seconds: i64 = signed_at.parse().map_err(|_| WebhookError::Header)?;
    let signatures: Vec<Vec<u8>> = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, hex)| bytes(hex)).collect();
    if signatures.is_empty() {
        return Err(WebhookError::Header);
    }
    let age = now.as_second().saturating_sub(seconds).unsigned_abs();
    if age > STRIPE_TOLERANCE_SECONDS.unsigned_abs() {
        return Err(WebhookError::Time);
    }
    if !secrets.iter().any(|secret| is_signed(secret, signed_at, body, &signatures)) {
        return Err(WebhookError::Signature);
    }
    let form: EventForm = serde_json::from_slice(body).map_err(|_| WebhookError::Event)?;
    let created = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(form.created)).map_err(|_| WebhookError::Event)?;
    Ok(Event { id: form.id, kind: form.kind, object_id: form.data.object.id, created })
}

/// Whether one of the signatures was made with `secret`. Compares in constant time.
fn is_signed(secret: &Secret, signed_at: &str, body: &[u8], signatures: &[Vec<u8>]) -> bool {
    // An empty secret is one that nobody configured.
    let key = secret.expose().as_bytes();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(signed_at.as_bytes());
    mac.update(b".");
    mac.update(body);
    !key.is_empty() && signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
}

/// The bytes that `hex` writes; `None` if it is not hexadecimal.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.as_bytes()
        .chunks(2)
        .map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event","api_version":"2026-10-28.endive","created":1795176000,
        "data":{"object":{"id":"pi_1","object":"payment_intent"}},"livemode":false,"type":"payment_intent.succeeded"}"#;
    const SIGNED_AT: i64 = 1_795_176_001;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// The signature that Stripe would send.
    fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(body);
        let digits: Vec<_> = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    fn header(secret: &str) -> String {
        format!("t={SIGNED_AT},v1={}", signature(secret, SIGNED_AT, BODY))
    }

    #[test]
    fn a_signature_that_another_program_made_fits() {
        // Made with Python's hmac module.
        let header = "t=1795176001,v1=526a2a7b4ab831953d6eadcfa222e5ad3229f7514300046ecd65e4b6cd8a0a13";
        let event = verify(
            &[secret("whsec_test_local")],
            header,
            br#"{"id":"evt_1","type":"a.b","created":0,"data":{"object":{"id":"x"}}}"#,
            at(SIGNED_AT),
        );
        assert_eq!(event.unwrap().id, "evt_1");
    }

    #[test]
    fn an_event_says_what_changed() {
        let event = verify(&[secret("whsec_a")], &header("whsec_a"), BODY, at(SIGNED_AT)).unwrap();
        let expected = Event {
            id: "evt_1".to_owned(),
            kind: "payment_intent.succeeded".to_owned(),
            object_id: Some("pi_1".to_owned()),
            created: at(1_795_176_000),
        };
        assert_eq!(event, expected);
    }

    #[test]
    fn an_object_may_have_no_id() {
        let body = br#"{"id":"evt_1","type":"balance.available","created":0,"data":{"object":{"object":"balance"}}}"#;
        let header = format!("t={SIGNED_AT},v1={}", signature("whsec_a", SIGNED_AT, body));
        assert_eq!(verify(&[secret("whsec_a")], &header, body, at(SIGNED_AT)).unwrap().object_id, None);
    }

    #[test]
    fn while_a_secret_is_replaced_either_one_fits() {
        let secrets = [secret("whsec_new"), secret("whsec_old")];
        let both =
            format!("t={SIGNED_AT},v1={},v1={}", signature("whsec_x", SIGNED_AT, BODY), signature("whsec_new", SIGNED_AT, BODY));
        for header in [header("whsec_new"), header("whsec_old"), both] {
            assert!(verify(&secrets, &header, BODY, at(SIGNED_AT)).is_ok(), "{header}");
        }
    }

    #[test]
    fn five_minutes_are_tolerated_either_way() {
        for (seconds, expected) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
            let verified = verify(&[secret("whsec_a")], &header("whsec_a"), BODY, at(SIGNED_AT + seconds));
            assert_eq!(verified.is_ok(), expected, "{seconds}");
            assert!(expected || verified == Err(WebhookError::Time));
        }
    }

    #[test]
    fn what_stripe_did_not_sign_is_refused() {
        let good = signature("whsec_a", SIGNED_AT, BODY);
        for (why, header) in [
            ("another secret", header("whsec_b")),
            ("another time", format!("t={},v1={good}", SIGNED_AT + 1)),
            ("cut short", format!("t={SIGNED_AT},v1={}", &good[..62])),
            ("another scheme", format!("t={SIGNED_AT},v0={good},v1={}", "0".repeat(64))),
        ] {
            assert_eq!(verify(&[secret("whsec_a")], &header, BODY, at(SIGNED_AT)), Err(WebhookError::Signature), "{why}");
        }
        let mut altered = BODY.to_vec();
        altered[8] = b'2';
        assert_eq!(verify(&[secret("whsec_a")], &header("whsec_a"), &altered, at(SIGNED_AT)), Err(WebhookError::Signature));
        assert_eq!(verify(&[], &header("whsec_a"), BODY, at(SIGNED_AT)), Err(WebhookError::Signature));
        assert_eq!(verify(&[secret("")], &header(""), BODY, at(SIGNED_AT)), Err(WebhookError::Signature));
    }

    #[test]
    fn a_header_without_a_time_or_a_signature_cannot_be_read() {
        let good = signature("whsec_a", SIGNED_AT, BODY);
        for header in [
            String::new(),
            "t".to_owned(),
            format!("v1={good}"),
            format!("t={SIGNED_AT}"),
            format!("t=now,v1={good}"),
            format!("t={SIGNED_AT},v0={good}"),
            format!("t={SIGNED_AT},v1=xyz"),
        ] {
            assert_eq!(verify(&[secret("whsec_a")], &header, BODY, at(SIGNED_AT)), Err(WebhookError::Header), "{header}");
        }
    }

    #[test]
    fn a_signed_body_that_is_no_event_is_refused() {
        for body in [&b"{}"[..], b"", br#"{"id":"evt_1","type":"a","created":9223372036854775807,"data":{"object":{"id":"x"}}}"#]
        {
            let header = format!("t={SIGNED_AT},v1={}", signature("whsec_a", SIGNED_AT, body));
            assert_eq!(verify(&[secret("whsec_a")], &header, body, at(SIGNED_AT)), Err(WebhookError::Event));
        }
    }
}
