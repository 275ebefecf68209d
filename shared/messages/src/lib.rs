//! Messages between functions: the bodies of queue messages, the three queues, and the name of a saga execution. Also the events
//! of orders, for the shop's own systems.

mod expiry;
mod order_events;
mod orders;
mod payment_events;

use std::error::Error;

pub use expiry::{ExpiryMessage, ExpiryQueue, LONGEST_DELAY_SECONDS};
pub use order_events::{Amount, Line, NotPublished, OrderChanged, OrderEvents};
pub use orders::{OrderMessage, OrdersQueue};
pub use payment_events::{PaymentEvent, PaymentEventsQueue};

/// SQS did not acknowledge a message, but may have accepted it. Sending it again is safe.
#[derive(Debug, thiserror::Error)]
#[error("a message to {queue} was not acknowledged")]
pub struct SendError {
    /// The queue's name for logs.
    queue: &'static str,
    /// The SDK's error.
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl SendError {
    fn new(queue: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { queue, source: source.into() }
    }
}

async fn send(
    client: &aws_sdk_sqs::Client,
    queue: &'static str,
    url: &str,
    body: &impl serde::Serialize,
    delay_seconds: u32,
) -> Result<(), SendError> {
    let body = serde_json::to_string(body).map_err(|error| SendError::new(queue, error))?;
    let delay = (delay_seconds > 0).then(|| i32::try_from(delay_seconds).unwrap_or(i32::MAX));
    let send = client.send_message().queue_url(url).message_body(body).set_delay_seconds(delay);
    send.send().await.map(|_| ()).map_err(|error| SendError::new(queue, error))
}
