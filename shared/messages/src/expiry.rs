//! The expiry message: one delayed message per reservation, so that units come back at the end of the hold and do not
//! wait for TTL.

use aws_sdk_sqs::Client;
use domain::{ReservationId, ShopperId, Timestamp, seconds_until};
use serde::{Deserialize, Serialize};

use crate::{SendError, send};

/// SQS delays a message by at most this. For a longer hold, several messages are sent one after the other.
pub const LONGEST_DELAY_SECONDS: u32 = 900;

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
        let delay = seconds_until(message.expires_at, now).min(LONGEST_DELAY_SECONDS);
        send(&self.client, "the expiry queue", &self.url, message, delay).await
    }
}
