//! `POST /webhooks/paypal`: takes an event of PayPal. It verifies the event, queues it, and decides nothing.
//!
//! PayPal's signature covers the body by a checksum only, so an event may be forged by a sender that has seen another one. A forged
//! event makes the reader of the queue ask PayPal once in vain.

use std::sync::Arc;

use contract::problems;
use domain::{Clock, Provider};
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use payments::{
    Keys, PaypalKeys,
    paypal::{Event, Transmission, Verifier, WebhookError},
};
use receive_stripe::{Inbox, Refusal, VerifiedEvent, answers, sender};

/// The request lacks a header that PayPal sends.
#[derive(Debug, thiserror::Error)]
#[error("a header of PayPal is missing")]
struct HeaderMissing;

/// The Lambda handler and its dependencies.
pub struct ReceivePaypal {
    clock: Arc<dyn Clock>,
    accounts: Vec<Keys<PaypalKeys>>,
    verifier: Verifier,
    inbox: Inbox,
}

impl FromParts for ReceivePaypal {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            accounts: parts.account_keys(Provider::Paypal),
            verifier: parts.paypal_verifier(),
            inbox: Inbox::from_parts(parts),
        }
    }
}

impl HttpFunction for ReceivePaypal {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        if self.accounts.is_empty() {
            return Err(problems::unknown_provider());
        }
        let body = http::raw_body(request)?;
        let told = self.told(transmission(request), body).await;
        let told = told.map_err(|refusal| answers::refused(&refusal, Provider::Paypal))?;
        self.inbox.take(&told).await.map_err(|error| answers::not_taken(&error))?;
        Ok(answers::received())
    }
}

impl ReceivePaypal {
    /// The event in `body`, if PayPal signed it for the webhook of one of the accounts.
    async fn told(&self, sent: Option<Transmission<'_>>, body: &[u8]) -> Result<VerifiedEvent, Refusal> {
        let sent = sent.ok_or_else(|| Refusal::of(HeaderMissing))?;
        let signed = self.verifier.signed(&sent, self.clock.now()).await.map_err(refusal)?;
        let fits = |keys: &PaypalKeys| {
            let webhook_id = keys.webhook_id.as_deref().filter(|id| !id.is_empty())?;
            match signed.verify(webhook_id, body) {
                Err(WebhookError::Signature) => None,
                event => Some(event),
            }
        };
        let (account, event) = sender(&self.accounts, fits).await.map_err(|unknown| unknown.refusal(WebhookError::Signature))?;
        let Event { id, kind, object_kind: _, object_id, created: _ } = event.map_err(refusal)?;
        VerifiedEvent::new(account, id, kind, object_id).ok_or_else(|| Refusal::of(WebhookError::Event))
    }
}

/// The headers of PayPal; `None` if one is missing.
fn transmission(request: &Request) -> Option<Transmission<'_>> {
    Some(Transmission {
        id: http::header(request, "paypal-transmission-id")?,
        time: http::header(request, "paypal-transmission-time")?,
        signature: http::header(request, "paypal-transmission-sig")?,
        certificate_url: http::header(request, "paypal-cert-url")?,
        algorithm: http::header(request, "paypal-auth-algo")?,
    })
}

/// Only a certificate that could not be fetched may be had later.
fn refusal(error: WebhookError) -> Refusal {
    match error {
        WebhookError::NoCertificate => Refusal::for_now(error),
        WebhookError::Algorithm
        | WebhookError::CertificateUrl
        | WebhookError::UnknownCertificate
        | WebhookError::Certificate(_)
        | WebhookError::Signature
        | WebhookError::Event => Refusal::of(error),
    }
}
