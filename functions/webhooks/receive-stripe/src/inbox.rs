//! Queues each event once, by its id. Nothing is lost: an event is remembered only after SQS has it. A run that dies between the two
//! leaves an event that the next delivery queues again, and the reader of the queue asks the provider twice.

use std::sync::Arc;

use domain::{Clock, GatewayName};
use messages::{PaymentEvent, PaymentEventsQueue, SendError};
use parts::{FromParts, Parts};
use store::{ProviderEvents, StoreError};

/// The longest id or kind of an event, in characters. Stripe's and PayPal's have less than 100.
const LONGEST_WORD: usize = 255;

/// An event that the keys of an account at its provider have verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEvent {
    account: GatewayName,
    event_id: String,
    kind: String,
    object_id: Option<String>,
}

impl VerifiedEvent {
    /// The event of an account, by the provider's words. `None`: one of the words is empty, too long, or is no word.
    #[must_use]
    pub fn new(account: GatewayName, event_id: String, kind: String, object_id: Option<String>) -> Option<Self> {
        let is_word = |text: &str| (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let are_words = [Some(&event_id), Some(&kind), object_id.as_ref()].into_iter().flatten().all(|text| is_word(text));
        are_words.then_some(Self { account, event_id, kind, object_id })
    }
}

/// Why an event was not queued, or not remembered. Nothing is lost if the provider delivers it again.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The table does not answer, or refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not acknowledge the message.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Where verified events go.
pub struct Inbox {
    clock: Arc<dyn Clock>,
    events: ProviderEvents,
    queue: PaymentEventsQueue,
}

impl FromParts for Inbox {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), events: parts.provider_events(), queue: parts.payment_events_queue() }
    }
}

impl Inbox {
    /// Queues an event, unless an earlier delivery of it was queued.
    ///
    /// # Errors
    /// When the table or SQS does not answer, or refuses.
    pub async fn take(&self, told: &VerifiedEvent) -> Result<(), InboxError> {
        let VerifiedEvent { account, event_id, kind, object_id } = told.clone();
        if self.events.is_queued(&account, &event_id).await? {
            tracing::info!(account = %account, event = event_id, "an event came again");
            return Ok(());
        }
        let message = PaymentEvent::ProviderTold { account, event_id, kind, object_id };
        self.queue.send(&message).await?;
        tracing::info!(account = %told.account, event = told.event_id, kind = told.kind, "an event was queued");
        Ok(self.events.queued(&told.account, &told.event_id, self.clock.now()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event_id: &str, kind: &str, object_id: Option<&str>) -> Option<VerifiedEvent> {
        let account = GatewayName("stripe".to_owned());
        VerifiedEvent::new(account, event_id.to_owned(), kind.to_owned(), object_id.map(str::to_owned))
    }

    #[test]
    fn an_event_has_words_that_a_key_and_a_message_can_hold() {
        let longest = "x".repeat(LONGEST_WORD);
        for object_id in [None, Some("pi_1"), Some(&longest)] {
            assert!(told("evt_1", "payment_intent.succeeded", object_id).is_some());
            assert!(told(&longest, "PAYMENT.CAPTURE.COMPLETED", object_id).is_some());
        }
        for wrong in ["", " ", "a b", "é", "\u{0}", "\u{ffff}", &format!("{longest}x")] {
            assert_eq!(told(wrong, "kind", Some("id")), None, "{wrong:?}");
            assert_eq!(told("id", wrong, Some("id")), None, "{wrong:?}");
            assert_eq!(told("id", "kind", Some(wrong)), None, "{wrong:?}");
        }
    }
}
