//! Events that a test's authority signed. The certificates in `fixtures` and the signatures were made for these tests, and
//! their keys thrown away: `root.pem` signed an intermediate, which signed `sandbox.pem` (valid from October 2026 to October
//! 2027) and `stranger.pem` (for another name). `other-root.pem` has the root's name and another key.

use super::*;
use crate::testing::{Asked, Next, Provider};

const EVENT: &[u8] = include_bytes!("../fixtures/event.json");
const EVENT_CHAIN: &str = include_str!("../fixtures/sandbox.pem");
const EVENT_SIGNATURE: &str = include_str!("../fixtures/sandbox.sig");
const SIGNER_NAME: &str = "messageverificationcerts.sandbox.paypal.com";
const WEBHOOK_ID: &str = "8PT597110X687430LKGECATA";
const CERTIFICATE_URL: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77";

fn sent() -> Transmission<'static> {
    Transmission {
        id: "b6dfdd10-ce00-11f0-9d5e-4d5e6f7a8b9c",
        time: "2026-11-20T12:00:00Z",
        signature: EVENT_SIGNATURE.trim_end(),
        certificate_url: CERTIFICATE_URL,
        algorithm: "SHA256withRSA",
    }
}

fn now() -> Timestamp {
    "2026-11-20T12:00:01Z".parse().unwrap()
}

fn after_minutes(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn pem(text: &str) -> Next {
    Next::Answer(200, vec![("content-type", "text/plain")], text.to_owned())
}

fn roots() -> Roots {
    Roots::from_pem(include_bytes!("../fixtures/root.pem"))
}

/// A verifier that trusts the test's authority for PayPal's sandbox.
fn verifier(provider: &Provider) -> Verifier {
    Verifier::new(provider.http(), Signer::other("https://api.sandbox.paypal.com", SIGNER_NAME, roots()))
}

/// The event in `body`, if it was signed for the webhook of the fixtures.
async fn verify(by: &Verifier, sent: &Transmission<'_>, body: &[u8], now: Timestamp) -> Result<Event, WebhookError> {
    by.signed(sent, now).await?.verify(WEBHOOK_ID, body)
}

async fn verified(sent: Transmission<'_>, body: &[u8]) -> Result<Event, WebhookError> {
    verify(&verifier(&Provider::that([pem(EVENT_CHAIN)])), &sent, body, now()).await
}

fn lines(asked: Vec<Asked>) -> Vec<String> {
    asked.into_iter().map(|asked| asked.line).collect()
}

#[tokio::test]
async fn a_signed_event_says_what_changed_and_the_certificate_is_fetched_once() {
    let provider = Provider::that([pem(EVENT_CHAIN)]);
    let verifier = verifier(&provider);
    let expected = Event {
        id: "WH-58D329510W468432D-8HN650336L201105X".to_owned(),
        kind: "PAYMENT.AUTHORIZATION.VOIDED".to_owned(),
        object_kind: "authorization".to_owned(),
        object_id: Some("6DR965477U7140544".to_owned()),
        created: "2026-11-20T11:59:58.731Z".parse().unwrap(),
    };
    for _ in 0..2 {
        assert_eq!(verify(&verifier, &sent(), EVENT, now()).await, Ok(expected.clone()));
    }
    assert_eq!(lines(provider.asked()), [format!("GET {CERTIFICATE_URL}")]);
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    let mut altered = EVENT.to_vec();
    altered[10] ^= 1;
    let flipped = EVENT_SIGNATURE.trim_end().replacen('A', "B", 1);
    let short = EVENT_SIGNATURE[..EVENT_SIGNATURE.len() / 2].to_owned();
    for (why, sent, body) in [
        ("body", sent(), &altered[..]),
        ("id", Transmission { id: "b6dfdd10-ce00-11f0-9d5e-4d5e6f7a8b9d", ..sent() }, EVENT),
        ("time", Transmission { time: "2026-11-20T12:00:01Z", ..sent() }, EVENT),
        ("signature", Transmission { signature: &flipped, ..sent() }, EVENT),
        ("short signature", Transmission { signature: &short, ..sent() }, EVENT),
        ("no base64", Transmission { signature: "!", ..sent() }, EVENT),
        ("empty", Transmission { signature: "", ..sent() }, EVENT),
    ] {
        assert_eq!(verified(sent, body).await, Err(WebhookError::Signature), "{why}");
    }
    let signed = verifier(&Provider::that([pem(EVENT_CHAIN)])).signed(&sent(), now()).await.unwrap();
    assert_eq!(signed.verify("another webhook", EVENT), Err(WebhookError::Signature));
}

#[tokio::test]
async fn nothing_is_fetched_for_another_algorithm_or_from_another_host() {
    let provider = Provider::default();
    let verifier = verifier(&provider);
    let weak = Transmission { algorithm: "SHA1withRSA", ..sent() };
    assert_eq!(verify(&verifier, &weak, EVENT, now()).await, Err(WebhookError::Algorithm));
    for certificate_url in [
        "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "http://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com.example.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com@example.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/",
        "https://api.sandbox.paypal.com/v1/notifications/certs/../../x",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.sandbox.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.sandbox.paypal.com/v2/CERT-1",
        "https://example.com/https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "",
    ] {
        let sent = Transmission { certificate_url, ..sent() };
        assert_eq!(verify(&verifier, &sent, EVENT, now()).await, Err(WebhookError::CertificateUrl), "{certificate_url}");
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn a_certificate_must_lead_to_a_root_be_valid_now_and_have_the_name() {
    let leaf_alone = EVENT_CHAIN.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    let stranger = include_str!("../fixtures/stranger.pem");
    let root = include_str!("../fixtures/root.pem");
    let other_root = Roots::from_pem(include_bytes!("../fixtures/other-root.pem"));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (why, chain, roots, now) in [
        ("too early", EVENT_CHAIN, roots(), at("2026-09-30T23:59:59Z")),
        ("too late", EVENT_CHAIN, roots(), at("2027-10-01T00:00:01Z")),
        ("before 1970", EVENT_CHAIN, roots(), at("1960-01-01T00:00:00Z")),
        ("another name", stranger, roots(), now()),
        ("another root of the same name", EVENT_CHAIN, other_root, now()),
        ("no root", EVENT_CHAIN, Roots::from_pem(b""), now()),
        ("without the intermediate", leaf_alone, roots(), now()),
        ("an authority's own", root, roots(), now()),
    ] {
        let signer = Signer::other("https://api.sandbox.paypal.com", SIGNER_NAME, roots);
        let verifier = Verifier::new(Provider::that([pem(chain)]).http(), signer);
        let verified = verify(&verifier, &sent(), EVENT, now).await;
        assert!(matches!(verified, Err(WebhookError::Certificate(_))), "{why}: {verified:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_the_same_authority_does_not_sign_for_another_name() {
    let signer = Signer::other("https://api.sandbox.paypal.com", "shop.example.com", roots());
    let provider = Provider::that([pem(include_str!("../fixtures/stranger.pem"))]);
    let stranger = Verifier::new(provider.http(), signer);
    // The signature is the stranger's and fits its certificate: only the name above made the difference.
    let signature = include_str!("../fixtures/stranger.sig").trim_end();
    assert!(verify(&stranger, &Transmission { signature, ..sent() }, EVENT, now()).await.is_ok());
    assert_eq!(verified(Transmission { signature, ..sent() }, EVENT).await, Err(WebhookError::Signature));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_fetched_is_fetched_again() {
    let garbage = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let provider = Provider::that([
        Next::Refused,
        Next::Broken,
        Next::Answer(500, Vec::new(), String::new()),
        pem(""),
        pem(garbage),
        pem(EVENT_CHAIN),
    ]);
    let verifier = verifier(&provider);
    for minute in 0..5 {
        assert_eq!(verify(&verifier, &sent(), EVENT, after_minutes(minute)).await, Err(WebhookError::NoCertificate));
    }
    assert!(verify(&verifier, &sent(), EVENT, after_minutes(5)).await.is_ok());
}

#[tokio::test]
async fn requests_of_strangers_cost_a_few_fetches_a_minute() {
    let missing = || Next::Answer(404, Vec::new(), String::new());
    let answers = (0..MOST_FETCHES).map(|_| missing()).chain([pem(EVENT_CHAIN)]);
    let provider = Provider::that(answers);
    let verifier = verifier(&provider);
    let mut outcomes = Vec::new();
    for number in 0..MOST_FETCHES + 20 {
        let url = format!("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-{number}");
        outcomes.push(verify(&verifier, &Transmission { certificate_url: &url, ..sent() }, EVENT, now()).await.unwrap_err());
    }
    // What is not fetched may be signed: the sender comes again.
    let mut expected = vec![WebhookError::UnknownCertificate; MOST_FETCHES];
    expected.resize(MOST_FETCHES + 20, WebhookError::NoCertificate);
    assert_eq!(outcomes, expected);
    assert_eq!(provider.asked().len(), MOST_FETCHES);
    assert_eq!(verify(&verifier, &sent(), EVENT, now()).await, Err(WebhookError::NoCertificate));
    // A clock that was put back does not stop the fetches for longer.
    assert!(verify(&verifier, &sent(), EVENT, after_minutes(-1)).await.is_ok());
    assert!(verify(&verifier, &sent(), EVENT, now()).await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_the_signer_does_not_have_is_no_reason_to_come_again() {
    for (status, expected) in [
        (400, WebhookError::UnknownCertificate),
        (401, WebhookError::UnknownCertificate),
        (404, WebhookError::UnknownCertificate),
        (408, WebhookError::NoCertificate),
        (429, WebhookError::NoCertificate),
        (503, WebhookError::NoCertificate),
    ] {
        let verifier = verifier(&Provider::that([Next::Answer(status, Vec::new(), String::new())]));
        assert_eq!(verify(&verifier, &sent(), EVENT, now()).await, Err(expected), "{status}");
    }
}

#[tokio::test]
async fn a_kept_certificate_is_checked_again_and_forgotten_when_it_is_out_of_date() {
    let provider = Provider::that([pem(EVENT_CHAIN), pem(EVENT_CHAIN)]);
    let verifier = verifier(&provider);
    verify(&verifier, &sent(), EVENT, now()).await.unwrap();
    let late = verify(&verifier, &sent(), EVENT, "2027-10-02T00:00:00Z".parse().unwrap()).await;
    assert!(matches!(late, Err(WebhookError::Certificate(_))), "{late:?}");
    assert!(verifier.known.lock().await.chains.is_empty());
}

#[tokio::test]
async fn only_a_few_certificates_are_kept() {
    let provider = Provider::that((0..=MOST_CERTIFICATES).map(|_| pem(EVENT_CHAIN)));
    let verifier = verifier(&provider);
    for number in 0..=MOST_CERTIFICATES {
        let url = format!("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-{number}");
        let now = after_minutes(i64::try_from(number).unwrap());
        verify(&verifier, &Transmission { certificate_url: &url, ..sent() }, EVENT, now).await.unwrap();
    }
    assert_eq!(verifier.known.lock().await.chains.len(), 1);
}

#[test]
fn paypals_own_signers_are_pinned() {
    for (signer, host, name) in [
        (Signer::live(), "https://api.paypal.com", "messageverificationcerts.paypal.com"),
        (Signer::sandbox(), "https://api.sandbox.paypal.com", SIGNER_NAME),
    ] {
        assert!(signer.has_certificate(&format!("{host}/v1/notifications/certs/CERT-360caa42_fca2a594")));
        assert!(matches!(&signer.trust, Trust::Chain(pinned, _) if pinned == name), "{signer:?}");
    }
    assert!(!Signer::live().has_certificate(CERTIFICATE_URL));
}

#[tokio::test]
async fn a_signer_on_this_machine_is_believed_without_a_root_and_is_nowhere_else() {
    const ORIGIN: &str = "http://127.0.0.1:12112";
    let provider = Provider::that([pem(EVENT_CHAIN)]);
    let verifier = Verifier::new(provider.http(), Signer::on_this_machine(ORIGIN).unwrap());
    let certificate_url = format!("{ORIGIN}/v1/notifications/certs/CERT-1");
    let here = Transmission { certificate_url: &certificate_url, ..sent() };
    assert!(verify(&verifier, &here, EVENT, now()).await.is_ok());
    assert_eq!(
        verify(&verifier, &sent(), EVENT, now()).await,
        Err(WebhookError::CertificateUrl),
        "PayPal itself is another signer"
    );
    let mut altered = EVENT.to_vec();
    altered[10] ^= 1;
    assert_eq!(verify(&verifier, &here, &altered, now()).await, Err(WebhookError::Signature));
    for origin in [
        "https://api.paypal.com",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:1@example.com",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1.example.com:1",
        "https://127.0.0.1:1",
        "http://localhost:1",
        "http://10.0.0.1:1",
        "",
    ] {
        assert!(Signer::on_this_machine(origin).is_none(), "{origin}");
    }
}
