//! The expiry message: a delayed message for each hold, so that units come back at the end of the hold and do not
//! wait for TTL.

use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use domain::{ReservationId, ShopperId, Timestamp, seconds_until};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{SendError, send};

/// The queue's name for logs.
const QUEUE: &str = "the expiry queue";

/// SQS delays a message by at most this. For a longer hold, several messages are sent one after the other.
pub const LONGEST_DELAY_SECONDS: u32 = 900;

/// Messages that SQS takes in one request.
const MESSAGES_OF_A_REQUEST: usize = 10;
/// Requests at the same time.
const REQUESTS_AT_ONCE: usize = 10;

/// The body of an expiry message: a hold that may have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryMessage {
    /// The reservation that holds the units.
    pub reservation_id: ReservationId,
    /// The shopper who holds them.
    pub shopper: ShopperId,
    /// When the hold ends.
    pub expires_at: Timestamp,
}

/// The queue of expiry messages.
#[derive(Debug, Clone)]
pub struct ExpiryQueue {
    client: Client,
    url: String,
}

impl ExpiryMessage {
    /// The delay with which SQS delivers the message when the hold ends, if it can wait that long.
    fn delay_seconds(&self, now: Timestamp) -> u32 {
        seconds_until(self.expires_at, now).min(LONGEST_DELAY_SECONDS)
    }
}

/// SQS answered a request of several messages, and took only some of them.
#[derive(Debug, thiserror::Error)]
#[error("SQS did not take {count} of the messages, the first with {code}")]
struct NotTaken {
    count: usize,
    code: String,
}

impl ExpiryQueue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends `message` for delivery at its `expires_at`, or after [`LONGEST_DELAY_SECONDS`] if that is earlier.
    ///
    /// # Errors
    /// When SQS does not acknowledge the message.
    pub async fn schedule(&self, message: &ExpiryMessage, now: Timestamp) -> Result<(), SendError> {
        send(&self.client, QUEUE, &self.url, message, message.delay_seconds(now)).await
    }

    /// Sends all `messages`, each for delivery as [`ExpiryQueue::schedule`] says, ten in a request. A request that fails stops
    /// no other.
    ///
    /// # Errors
    /// When SQS does not acknowledge one of them. It may have taken any of the others.
    pub async fn schedule_all(&self, messages: &[ExpiryMessage], now: Timestamp) -> Result<(), SendError> {
        let requests: Vec<_> =
            messages.chunks(MESSAGES_OF_A_REQUEST).map(|together| self.schedule_together(together, now)).collect();
        let outcomes: Vec<_> = stream::iter(requests).buffer_unordered(REQUESTS_AT_ONCE).collect().await;
        outcomes.into_iter().collect()
    }

    /// Sends at most [`MESSAGES_OF_A_REQUEST`] messages in one request.
    async fn schedule_together(&self, messages: &[ExpiryMessage], now: Timestamp) -> Result<(), SendError> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (id, message) in messages.iter().enumerate() {
            let body = serde_json::to_string(message).map_err(|error| SendError::new(QUEUE, error))?;
            let delay = i32::try_from(message.delay_seconds(now)).unwrap_or(i32::MAX);
            let entry =
                SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(body).delay_seconds(delay).build();
            request = request.entries(entry.map_err(|error| SendError::new(QUEUE, error))?);
        }
        let answer = request.send().await.map_err(|error| SendError::new(QUEUE, error))?;
        match answer.failed() {
            [] => Ok(()),
            [first, ..] => Err(SendError::new(QUEUE, NotTaken { count: answer.failed().len(), code: first.code().to_owned() })),
        }
    }
}
