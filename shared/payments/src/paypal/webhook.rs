//! Verifies that an event comes from PayPal:
//! <https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod>.
//!
//! The signature covers the event's body only by a CRC-32, which is no protection: a sender that has seen one signed request can
//! make another body that fits. So an event is a hint to read the object from PayPal, and nothing more.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use domain::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    http::{self, Http, Reply, Request},
    paypal::certificates::{Chain, Roots},
};

/// The only algorithm that PayPal uses (`paypal-auth-algo`).
const ALGORITHM: &str = "SHA256withRSA";
/// Where the signer keeps its certificates.
const CERTIFICATES_PATH: &str = "/v1/notifications/certs/";
/// PayPal changes its certificate once a year. More certificates than this in one process are forgotten.
const MOST_CERTIFICATES: usize = 8;

/// A signer of webhooks: where its certificate comes from, and the name in it.
#[derive(Debug, Clone)]
pub struct Signer {
    origin: String,
    name: String,
    roots: Roots,
}

impl Signer {
    /// PayPal.
    #[must_use]
    pub fn live() -> Self {
        Self::other("https://api.paypal.com", "messageverificationcerts.paypal.com", Roots::system())
    }

    /// PayPal's sandbox.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::other("https://api.sandbox.paypal.com", "messageverificationcerts.sandbox.paypal.com", Roots::system())
    }

    /// A signer in tests or on the local stack. Its certificates are at `origin`, such as `http://127.0.0.1:8080`; they are
    /// for the host `name` and lead to one of `roots`. A certificate that signed itself is never accepted.
    #[must_use]
    pub fn other(origin: &str, name: &str, roots: Roots) -> Self {
        Self { origin: origin.trim_end_matches('/').to_owned(), name: name.to_owned(), roots }
    }

    /// Whether `url` is one of this signer's certificates. The rest of the URL is a single word, so it cannot lead elsewhere.
    fn has_certificate(&self, url: &str) -> bool {
        let word = url.strip_prefix(&self.origin).and_then(|path| path.strip_prefix(CERTIFICATES_PATH));
        word.is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
    }
}

/// The headers of a webhook request.
#[derive(Debug, Clone, Copy)]
pub struct Transmission<'a> {
    /// `paypal-transmission-id`
    pub id: &'a str,
    /// `paypal-transmission-time`
    pub time: &'a str,
    /// `paypal-transmission-sig`
    pub signature: &'a str,
    /// `paypal-cert-url`
    pub certificate_url: &'a str,
    /// `paypal-auth-algo`
    pub algorithm: &'a str,
}

/// An event of PayPal. It says that its object may have changed; PayPal, when asked, says how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `WH-…`: the same in every delivery of this event.
    pub id: String,
    /// Such as `PAYMENT.CAPTURE.COMPLETED`.
    pub kind: String,
    /// The kind of the object, such as `capture`.
    pub object_kind: String,
    /// The id of the object that changed.
    pub object_id: String,
    /// When PayPal made the event.
    pub created: Timestamp,
}

/// Why a request is not taken for an event of PayPal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Another algorithm than RSA with SHA-256.
    #[error("the signature's algorithm is not known")]
    Algorithm,
    /// The certificate is not at the signer's.
    #[error("the certificate is not from the signer's host")]
    CertificateUrl,
    /// The certificate could not be fetched. The sender should try again later.
    #[error("the certificate cannot be fetched")]
    NoCertificate,
    /// The certificate does not lead to a root, is out of date, or is for another name.
    #[error("the certificate is not trusted: {0}")]
    Certificate(String),
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// The signature fits, and the body is no event.
    #[error("the event cannot be read")]
    Event,
}

#[derive(Deserialize)]
struct EventForm {
    id: String,
    event_type: String,
    #[serde(default)]
    resource_type: String,
    create_time: Timestamp,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
}

/// Verifies the events of one webhook. It keeps the signer's certificate, so a process makes one verifier.
#[derive(Debug)]
pub struct Verifier {
    http: Http,
    signer: Signer,
    webhook_id: String,
    chains: Mutex<BTreeMap<String, Chain>>,
}

impl Verifier {
    /// A verifier for the webhook that `signer` calls `webhook_id`.
    #[must_use]
    pub fn new(http: Http, signer: Signer, webhook_id: String) -> Self {
        Self { http, signer, webhook_id, chains: Mutex::default() }
    }

    /// The event in `body`, which is the request's body byte for byte, if the signer signed it. The first event of a
    /// certificate makes a call to the signer.
    ///
    /// The time of the transmission is not compared with `now`: PayPal sends an event for three days. An event that was seen
    /// before is recognised by its id.
    ///
    /// # Errors
    /// When the request is not, or not certainly, from the signer, or its body is no event.
    pub async fn verify(&self, sent: &Transmission<'_>, body: &[u8], now: Timestamp) -> Result<Event, WebhookError> {
        if sent.algorithm != ALGORITHM {
            return Err(WebhookError::Algorithm);
        }
        if !self.signer.has_certificate(sent.certificate_url) {
            return Err(WebhookError::CertificateUrl);
        }
        let signature = base64::decode(sent.signature).map_err(|_| WebhookError::Signature)?;
        let chain = self.chain(sent.certificate_url, now).await?;
        let message = format!("{}|{}|{}|{}", sent.id, sent.time, self.webhook_id, crc32fast::hash(body));
        chain.check_signature(message.as_bytes(), &signature).map_err(|_| WebhookError::Signature)?;
        let form: EventForm = serde_json::from_slice(body).map_err(|_| WebhookError::Event)?;
        Ok(Event {
            id: form.id,
            kind: form.event_type,
            object_kind: form.resource_type,
            object_id: form.resource.id,
            created: form.create_time,
        })
    }

    /// The certificate at `url`, checked for `now`. A certificate that was refused is fetched again the next time.
    async fn chain(&self, url: &str, now: Timestamp) -> Result<Chain, WebhookError> {
        let mut chains = self.chains.lock().await;
        let known = chains.get(url).cloned();
        let chain = match known {
            Some(chain) => chain,
            None => self.fetch(url).await?,
        };
        let checked = chain.check(&self.signer.name, &self.signer.roots, now);
        if let Err(error) = checked {
            chains.remove(url);
            return Err(WebhookError::Certificate(error.to_string()));
        }
        if !chains.contains_key(url) && chains.len() >= MOST_CERTIFICATES {
            chains.clear();
        }
        chains.insert(url.to_owned(), chain.clone());
        Ok(chain)
    }

    async fn fetch(&self, url: &str) -> Result<Chain, WebhookError> {
        match self.http.call(Request::get(url.to_owned()), http::deadline()).await {
            Reply::Answered(answer) if answer.status == 200 => Chain::from_pem(answer.body()).ok_or(WebhookError::NoCertificate),
            Reply::Answered(_) | Reply::NotSent | Reply::NoAnswer => Err(WebhookError::NoCertificate),
        }
    }
}

#[cfg(test)]
mod tests;
