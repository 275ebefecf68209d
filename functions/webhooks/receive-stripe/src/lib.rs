//! `POST /webhooks/stripe`: takes an event of Stripe. It verifies the event, queues it, and decides nothing.
//!
//! `receive-paypal` does the same for PayPal, with the [`Inbox`], the [`sender`] and the [`answers`] of this crate.

pub mod answers;
mod inbox;
mod sender;

use std::sync::Arc;

use contract::problems;
use domain::{Clock, Provider};
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use payments::{
    Keys, StripeKeys,
    stripe::{Event, WebhookError, verify},
};

pub use crate::{
    inbox::{Inbox, InboxError, VerifiedEvent},
    sender::{Refusal, UnknownSender, sender},
};

/// The Lambda handler and its dependencies.
pub struct ReceiveStripe {
    clock: Arc<dyn Clock>,
    accounts: Vec<Keys<StripeKeys>>,
    inbox: Inbox,
}

impl FromParts for ReceiveStripe {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), accounts: parts.account_keys(Provider::Stripe), inbox: Inbox::from_parts(parts) }
    }
}

impl HttpFunction for ReceiveStripe {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        if self.accounts.is_empty() {
            return Err(problems::unknown_provider());
        }
        let body = http::raw_body(request)?;
        let told = self.told(http::header(request, "stripe-signature").unwrap_or_default(), body).await;
        let told = told.map_err(|refusal| answers::refused(&refusal, Provider::Stripe))?;
        self.inbox.take(&told).await.map_err(|error| answers::not_taken(&error))?;
        Ok(answers::received())
    }
}

impl ReceiveStripe {
    /// The event in `body`, if one of the accounts signed it a moment ago. `header` is `Stripe-Signature`.
    async fn told(&self, header: &str, body: &[u8]) -> Result<VerifiedEvent, Refusal> {
        let now = self.clock.now();
        // What no secret makes good costs no read of a secret.
        match verify(&[], header, body, now) {
            Ok(_) | Err(WebhookError::Signature) => {}
            Err(error) => return Err(Refusal::of(error)),
        }
        let fits = |keys: &StripeKeys| match verify(&keys.webhook_secrets, header, body, now) {
            Err(WebhookError::Signature) => None,
            event => Some(event),
        };
        let (account, event) = sender(&self.accounts, fits).await.map_err(|unknown| unknown.refusal(WebhookError::Signature))?;
        let Event { id, kind, object_id, created: _ } = event.map_err(Refusal::of)?;
        VerifiedEvent::new(account, id, kind, object_id).ok_or_else(|| Refusal::of(WebhookError::Event))
    }
}
