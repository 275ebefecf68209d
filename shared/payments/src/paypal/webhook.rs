//! Verifies that an event comes from PayPal:
//! <https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod>.
//!
//! The signature covers the event's body only by a CRC-32, which is no protection: a sender that has seen one signed request can
//! make another body that fits. So an event is a hint to read the object from PayPal, and nothing more.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use domain::{SignedDuration, Timestamp};
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
/// The sender of a request chooses the certificate's address before anything is verified. So a process fetches at most this
/// many in [`FETCHES_COUNT_FOR`]; PayPal repeats a refused delivery.
const MOST_FETCHES: usize = 5;
/// How long a fetch counts.
const FETCHES_COUNT_FOR: SignedDuration = SignedDuration::from_mins(1);
/// How the address of a signer on this machine begins. Nothing on the network can answer in its place.
const THIS_MACHINE: &str = "http://127.0.0.1:";

/// A signer of webhooks: where its certificate comes from, and why it is believed.
#[derive(Debug, Clone)]
pub struct Signer {
    origin: String,
    trust: Trust,
}

/// Why a certificate from a signer's origin is believed.
#[derive(Debug, Clone)]
enum Trust {
    /// It is for this name, and leads to a root.
    Chain(String, Roots),
    /// It comes from this machine.
    Origin,
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

    /// A signer whose certificates are at `origin`, are for the host `name`, and lead to one of `roots`.
    #[must_use]
    pub fn other(origin: &str, name: &str, roots: Roots) -> Self {
        Self { origin: origin.trim_end_matches('/').to_owned(), trust: Trust::Chain(name.to_owned(), roots) }
    }

    /// A fake PayPal on this machine, which signs with a certificate that only it knows. Every certificate from there is believed,
    /// and so this is for the local stack only. `None`: `origin` is not of the form `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn on_this_machine(origin: &str) -> Option<Self> {
        let origin = origin.trim_end_matches('/');
        origin.strip_prefix(THIS_MACHINE)?.parse::<u16>().ok()?;
        Some(Self { origin: origin.to_owned(), trust: Trust::Origin })
    }

    /// Whether `url` is one of this signer's certificates. The rest of the URL is a single word, so it cannot lead elsewhere.
    fn has_certificate(&self, url: &str) -> bool {
        let word = url.strip_prefix(&self.origin).and_then(|path| path.strip_prefix(CERTIFICATES_PATH));
        word.is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
    }

    /// Checks that a certificate from this signer's origin is believed `now`.
    fn check(&self, chain: &Chain, now: Timestamp) -> Result<(), WebhookError> {
        match &self.trust {
            Trust::Chain(name, roots) => {
                chain.check(name, roots, now).map_err(|error| WebhookError::Certificate(error.to_string()))
            }
            Trust::Origin => Ok(()),
        }
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
    /// The id of the object that changed. Some objects have none of this name, such as disputes.
    pub object_id: Option<String>,
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
    /// The signer has no such certificate.
    #[error("the signer has no such certificate")]
    UnknownCertificate,
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
    #[serde(default)]
    id: Option<String>,
}

/// Fetches the certificates of the signer, and keeps them: a process makes one verifier, for all accounts.
#[derive(Debug)]
pub struct Verifier {
    http: Http,
    signer: Signer,
    known: Mutex<Known>,
}

/// The certificates that a process has fetched.
#[derive(Debug, Default)]
struct Known {
    /// By their address.
    chains: BTreeMap<String, Chain>,
    /// When the last fetches were.
    fetched: Vec<Timestamp>,
}

impl Known {
    /// Counts a fetch at `now`. False: there were too many lately.
    fn may_fetch(&mut self, now: Timestamp) -> bool {
        self.fetched.retain(|at| now.duration_since(*at).abs() < FETCHES_COUNT_FOR);
        let may = self.fetched.len() < MOST_FETCHES;
        if may {
            self.fetched.push(now);
        }
        may
    }
}

/// The certificate with which a request says that it was signed, and that signature. The certificate is believed; whether the
/// signature fits is still to be seen.
#[derive(Debug)]
pub struct SignedTransmission {
    chain: Chain,
    signature: Vec<u8>,
    /// Id and time of the transmission, as the signature covers them.
    transmission: String,
}

impl Verifier {
    /// A verifier of what `signer` signs.
    #[must_use]
    pub fn new(http: Http, signer: Signer) -> Self {
        Self { http, signer, known: Mutex::default() }
    }

    /// The certificate that a request names. The first request with a certificate makes a call to the signer.
    ///
    /// # Errors
    /// When the request was not signed as the signer does, or the certificate is not to be had or not believed.
    pub async fn signed(&self, sent: &Transmission<'_>, now: Timestamp) -> Result<SignedTransmission, WebhookError> {
        if sent.algorithm != ALGORITHM {
            return Err(WebhookError::Algorithm);
        }
        if !self.signer.has_certificate(sent.certificate_url) {
            return Err(WebhookError::CertificateUrl);
        }
        let signature = base64::decode(sent.signature).map_err(|_| WebhookError::Signature)?;
        let chain = self.chain(sent.certificate_url, now).await?;
        Ok(SignedTransmission { chain, signature, transmission: format!("{}|{}", sent.id, sent.time) })
    }

    /// The certificate at `url`, checked for `now`. A certificate that was refused is fetched again the next time.
    async fn chain(&self, url: &str, now: Timestamp) -> Result<Chain, WebhookError> {
        let mut known = self.known.lock().await;
        let chain = match known.chains.get(url).cloned() {
            Some(chain) => chain,
            None if known.may_fetch(now) => self.fetch(url).await?,
            None => return Err(WebhookError::NoCertificate),
        };
        let chains = &mut known.chains;
        if let Err(error) = self.signer.check(&chain, now) {
            chains.remove(url);
            return Err(error);
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
            // A forger chooses the URL. Too early and too often (408, 429) may pass.
            Reply::Answered(answer) if (400..500).contains(&answer.status) && ![408, 429].contains(&answer.status) => {
                Err(WebhookError::UnknownCertificate)
            }
            Reply::Answered(_) | Reply::NotSent | Reply::NoAnswer => Err(WebhookError::NoCertificate),
        }
    }
}

impl SignedTransmission {
    /// The event in `body`, which is the request's body byte for byte, if it was signed for the webhook that the signer calls
    /// `webhook_id`.
    ///
    /// The time of the transmission is not compared with the present: PayPal sends an event for three days. An event that was seen
    /// before is recognised by its id.
    ///
    /// # Errors
    /// When the signature does not fit, or the body is no event.
    pub fn verify(&self, webhook_id: &str, body: &[u8]) -> Result<Event, WebhookError> {
        let message = format!("{}|{webhook_id}|{}", self.transmission, crc32fast::hash(body));
        self.chain.check_signature(message.as_bytes(), &self.signature).map_err(|_| WebhookError::Signature)?;
        let form: EventForm = serde_json::from_slice(body).map_err(|_| WebhookError::Event)?;
        Ok(Event {
            id: form.id,
            kind: form.event_type,
            object_kind: form.resource_type,
            object_id: form.resource.id,
            created: form.create_time,
        })
    }
}

#[cfg(test)]
mod tests;
