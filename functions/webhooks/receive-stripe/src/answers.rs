//! The answers to a provider. None but 200 ends the deliveries of an event, which Stripe and PayPal repeat for three days.

use contract::{ReceivedView, problems};
use domain::Provider;
use kit::{Problem, Response, http};

use crate::{InboxError, Refusal};

/// The seconds after which a provider should deliver an event again. Stripe and PayPal choose the time themselves.
const DELIVER_AGAIN_SECONDS: u32 = 30;

/// The event is queued.
#[must_use]
pub fn received() -> Response {
    http::ok_json(200, &ReceivedView::queued())
}

/// The request is not taken for an event. Logs the reason: it would help a forger.
#[must_use]
pub fn refused(refusal: &Refusal, provider: Provider) -> Problem {
    match refusal {
        Refusal::Forever(reason) => {
            tracing::warn!(provider = provider.as_str(), reason = %reason, "a webhook was refused");
            problems::webhook_refused()
        }
        Refusal::Later(reason) => Problem::try_again_because(DELIVER_AGAIN_SECONDS, reason.as_ref()),
    }
}

/// The event was not queued, or not remembered. A later delivery may not meet the failure, even if it is one of configuration.
#[must_use]
pub fn not_taken(error: &InboxError) -> Problem {
    Problem::try_again_because(DELIVER_AGAIN_SECONDS, error)
}
