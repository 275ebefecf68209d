//! Events of payment providers: only what a provider has signed is taken, and only its ids are read.

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex},
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use domain::Timestamp;
use payments::{
    Http, Secret,
    paypal::{self, Roots, Signer, Transmission, Verifier},
    stripe,
};
use serde_json::{Value, json};

use crate::{tokens::NOW_SECONDS, world::waited};

const SECRET: &str = "whsec_test";
const WEBHOOK_ID: &str = "8PT597110X687430LKGECATA";
/// Where the fake PayPal of this machine is.
const SIGNER: &str = "http://127.0.0.1:9";
const CERTIFICATE_URL: &str = "http://127.0.0.1:9/v1/notifications/certs/CERT-1";

fn now() -> Timestamp {
    Timestamp::from_second(NOW_SECONDS).unwrap()
}

fn lines<const N: usize>(input: &[u8]) -> Option<([&str; N], &[u8])> {
    let mut rest = input;
    let mut lines = [""; N];
    for line in &mut lines {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        *line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
    }
    Some((lines, rest))
}

/// The first line is `Stripe-Signature`, the rest is the body.
pub(crate) fn stripe(input: &[u8]) -> bool {
    let Some(([header], body)) = lines(input) else { return false };
    let secrets = [SECRET, "whsec_other", ""].map(|secret| Secret::new(secret.to_owned()));
    if stripe::verify(&secrets, header, body, now()).is_err() {
        return false;
    }
    // Of a time within five minutes, an HMAC of one of the secrets is in the header. The empty secret is nobody's.
    let is_signed = |(at, secret): (i64, &str)| {
        let signature = fake_stripe::signature(secret, body, Timestamp::from_second(at).unwrap());
        let (_, hex) = signature.split_once("v1=").unwrap();
        header.to_ascii_lowercase().contains(hex)
    };
    let times = NOW_SECONDS - 300..=NOW_SECONDS + 300;
    let named = times.filter(|at| header.contains(&at.to_string()));
    assert!(named.flat_map(|at| [(at, SECRET), (at, "whsec_other")]).any(is_signed), "a forged event is taken: {header}");
    true
}

/// The body, which is signed.
pub(crate) fn stripe_event(body: &[u8]) -> bool {
    let header = fake_stripe::signature(SECRET, body, now());
    let Ok(event) = stripe::verify(&[Secret::new(SECRET.to_owned())], &header, body, now()) else { return false };
    // A member that nobody reads may have other characters than those of Unicode. Then there is nothing to compare with.
    let Ok(said) = serde_json::from_slice::<Value>(body) else { return true };
    assert!(said["id"] == event.id.as_str() && said["type"] == event.kind.as_str(), "{said}");
    assert_eq!(said["data"]["object"]["id"].as_str(), event.object_id.as_deref());
    assert_eq!(said["created"].as_i64(), Some(event.created.as_second()));
    true
}

/// Answers every request with one document, and keeps the addresses that it was asked for.
#[derive(Clone)]
struct Documents(Arc<Vec<u8>>, Arc<Mutex<Vec<String>>>);

impl Documents {
    fn new(document: &[u8]) -> Self {
        Self(Arc::new(document.to_vec()), Arc::default())
    }

    fn http(&self) -> Http {
        Http::over(SharedHttpConnector::new(self.clone()))
    }

    /// Checks that nothing was fetched but from below this address, by a single word.
    fn are_below(&self, address: &str) {
        for asked in self.1.lock().unwrap().iter() {
            let word = asked.strip_prefix(address).unwrap_or_default();
            let is_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            assert!(!word.is_empty() && is_word, "{asked} is fetched");
        }
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Documents")
    }
}

impl HttpConnector for Documents {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.1.lock().unwrap().push(request.uri().to_owned());
        let document = SdkBody::from(self.0.as_slice());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), document)))
    }
}

/// The headers of an event, in this order, a line each; the rest is the body.
pub(crate) fn paypal(input: &[u8]) -> bool {
    let Some(([id, time, signature, certificate_url, algorithm], body)) = lines(input) else { return false };
    let documents = Documents::new(fake_paypal::certificate_pem().as_bytes());
    let verifier = Verifier::new(documents.http(), Signer::on_this_machine(SIGNER).unwrap());
    let sent = Transmission { id, time, signature, certificate_url, algorithm };
    let signed = waited(verifier.signed(&sent, now()));
    documents.are_below("http://127.0.0.1:9/v1/notifications/certs/");
    // A live signer fetches from PayPal's host, whatever the request says.
    let live = Documents::new(b"");
    let refused =
        waited(Verifier::new(live.http(), Signer::other("https://api.paypal.com", "paypal", no_roots())).signed(&sent, now()));
    assert!(refused.is_err(), "a certificate that is not there is believed");
    live.are_below("https://api.paypal.com/v1/notifications/certs/");
    if !signed.is_ok_and(|signed| signed.verify(WEBHOOK_ID, body).is_ok()) {
        return false;
    }
    let text = fake_paypal::signed_text(id, time, WEBHOOK_ID, body);
    assert!(TRANSMISSIONS.iter().any(|(signed, _)| *signed == text), "a forged event is taken: {text}");
    true
}

fn no_roots() -> Roots {
    Roots::from_pem(b"")
}

/// The body, which is signed.
pub(crate) fn paypal_event(body: &[u8]) -> bool {
    let documents = Documents::new(fake_paypal::certificate_pem().as_bytes());
    let verifier = Verifier::new(documents.http(), Signer::on_this_machine(SIGNER).unwrap());
    let (id, time) = ("b6dfdd10-ce00-11f0-9d5e-4d5e6f7a8b9c", "2026-11-01T12:00:00Z");
    let signature = fake_paypal::signature(&fake_paypal::signed_text(id, time, WEBHOOK_ID, body));
    let sent = Transmission { id, time, signature: &signature, certificate_url: CERTIFICATE_URL, algorithm: "SHA256withRSA" };
    let signed = waited(verifier.signed(&sent, now())).expect("the certificate is believed");
    match signed.verify(WEBHOOK_ID, body) {
        Ok(event) => {
            let Ok(said) = serde_json::from_slice::<Value>(body) else { return true };
            assert!(said["id"] == event.id.as_str() && said["event_type"] == event.kind.as_str(), "{said}");
            assert_eq!(said["resource"]["id"].as_str(), event.object_id.as_deref());
            true
        }
        Err(error) => {
            assert_eq!(error, paypal::WebhookError::Event, "a true signature is refused");
            false
        }
    }
}

/// What PayPal's host answers instead of a certificate: it is believed only if it is one, for the right name, from a root.
pub(crate) fn certificate(document: &[u8]) -> bool {
    let signature = "c2lnbmVk";
    let is_believed = |origin: &str, signer: Signer| {
        let url = format!("{origin}/v1/notifications/certs/CERT-1");
        let sent = Transmission { id: "1", time: "2", signature, certificate_url: &url, algorithm: "SHA256withRSA" };
        let documents = Documents::new(document);
        let signed = waited(Verifier::new(documents.http(), signer).signed(&sent, now()));
        // What is no certificate of an RSA key verifies nothing.
        assert!(!signed.as_ref().is_ok_and(|signed| signed.verify(WEBHOOK_ID, b"{}").is_ok()), "a forged event is taken");
        signed.is_ok()
    };
    let strict = Signer::other("https://api.paypal.com", "messageverificationcerts.paypal.com", no_roots());
    assert!(!is_believed("https://api.paypal.com", strict), "a certificate without a root is believed");
    is_believed(SIGNER, Signer::on_this_machine(SIGNER).unwrap())
}

fn body() -> Value {
    json!({
        "id": "WH-58D329510W468432D-8HN650336L201105X", "create_time": "2026-11-01T12:00:00Z", "resource_type": "capture",
        "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": "42311647XV020574X", "status": "COMPLETED"},
        // The same as Stripe's event.
        "type": "payment_intent.succeeded", "created": NOW_SECONDS, "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
    })
}

/// What PayPal has signed, each with the input that has its signature.
static TRANSMISSIONS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let bodies = [body().to_string(), r#"{"id": 1}"#.to_owned()];
    let signed = bodies.into_iter().enumerate().map(|(place, body)| {
        let (id, time) = (format!("b6dfdd10-ce00-11f0-9d5e-{place}"), "2026-11-01T12:00:00Z");
        let text = fake_paypal::signed_text(&id, time, WEBHOOK_ID, body.as_bytes());
        let signature = fake_paypal::signature(&text);
        let input = format!("{id}\n{time}\n{signature}\n{CERTIFICATE_URL}\nSHA256withRSA\n{body}");
        (text, input.into_bytes())
    });
    signed.collect()
});

pub(crate) fn stripe_seeds() -> Vec<Vec<u8>> {
    let with = |header: String| [header.as_bytes(), b"\n", body().to_string().as_bytes()].concat();
    let good = fake_stripe::signature(SECRET, body().to_string().as_bytes(), now());
    let late = fake_stripe::signature(SECRET, body().to_string().as_bytes(), Timestamp::from_second(NOW_SECONDS - 301).unwrap());
    let unset = fake_stripe::signature("", body().to_string().as_bytes(), now());
    vec![with(good.clone()), with(format!("{good},v1=00,v0=11")), with(late), with(unset)]
}

pub(crate) fn event_seeds() -> Vec<Vec<u8>> {
    let mut without_object = body();
    without_object["resource"] = json!({});
    without_object["data"]["object"] = json!({"object": "balance"});
    [body(), without_object].into_iter().map(|event| event.to_string().into_bytes()).collect()
}

pub(crate) fn paypal_seeds() -> Vec<Vec<u8>> {
    TRANSMISSIONS.iter().map(|(_, input)| input.clone()).collect()
}

pub(crate) fn certificate_seeds() -> Vec<Vec<u8>> {
    let pem = fake_paypal::certificate_pem();
    vec![pem.into(), pem.repeat(2).into_bytes(), b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()]
}
