//! Saga: reports the outcome of an order to its shopper: a log line, and a message to the topic for a subscriber that
//! sends e-mail.

use domain::{OrderId, ShopperId};
use kit::{TaskFunction, chain, workers::TaskError};
use parts::{FromParts, Parts, Topic};
use serde::{Deserialize, Serialize};

/// The Lambda handler and its dependencies.
pub struct NotifyShopper {
    topic: Topic,
}

/// The news about the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// Paid and sold.
    OrderCompleted,
    /// Not paid; another method may be tried.
    PaymentFailed,
    /// Ended without a purchase; no money is kept.
    OrderFailed,
    /// Ended; the refund is not confirmed. An operator reviews it.
    RefundFailed,
}

/// A shopper, an order and the news about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    order_id: OrderId,
    shopper: ShopperId,
    message: Message,
}

/// The output: SNS accepted the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// SNS's id of the message.
    pub message_id: String,
}

/// SNS did not accept the message.
#[derive(Debug, thiserror::Error)]
#[error("the topic did not take the notification: {0}")]
pub struct NotifyError(String);

impl TaskError for NotifyError {
    fn name(&self) -> &'static str {
        "NotificationFailed"
    }
}

impl FromParts for NotifyShopper {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { topic: parts.notifications() }
    }
}

impl TaskFunction for NotifyShopper {
    type Task = Notification;
    type Output = Published;
    type Error = NotifyError;

    /// Notifies one shopper.
    ///
    /// # Errors
    /// When SNS does not accept the message.
    async fn handle(&self, notification: Notification) -> Result<Published, NotifyError> {
        tracing::info!(
            order_id = %notification.order_id, shopper = %notification.shopper, notification = ?notification.message,
            "a shopper is notified"
        );
        let body = serde_json::to_string(&notification).map_err(|error| NotifyError(error.to_string()))?;
        let publish = self.topic.client.publish().topic_arn(&self.topic.arn).message(body);
        let answer = publish.send().await.map_err(|error| NotifyError(chain(&error)))?;
        Ok(Published { message_id: answer.message_id.unwrap_or_default() })
    }
}
