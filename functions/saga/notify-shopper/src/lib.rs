//! Saga: tells the shopper what became of an order: a line in the log and a message to the topic, for whoever sends e-mail.

use aws_sdk_sns::Client;
use domain::{OrderId, ShopperId};
use kit::{ConfigurationError, Environment, chain, workers::TaskError};
use serde::{Deserialize, Serialize};

/// The function, with what it stands on.
pub struct NotifyShopper {
    client: Client,
    topic_arn: String,
}

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// Paid and sold.
    OrderCompleted,
    /// Not paid; another method may be tried.
    PaymentFailed,
    /// Ended without a purchase; no money is kept.
    OrderFailed,
    /// Ended; the money is not back yet. A person looks at it.
    RefundFailed,
}

/// Whom to tell what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    order_id: OrderId,
    shopper: ShopperId,
    message: Message,
}

/// The topic has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// SNS's id of the message.
    pub message_id: String,
}

/// The topic did not take it.
#[derive(Debug, thiserror::Error)]
#[error("the topic did not take the notification: {0}")]
pub struct NotifyError(String);

impl TaskError for NotifyError {
    fn name(&self) -> &'static str {
        "NotificationFailed"
    }
}

impl NotifyShopper {
    /// The function on what it is given.
    #[must_use]
    pub fn new(client: Client, topic_arn: impl Into<String>) -> Self {
        Self { client, topic_arn: topic_arn.into() }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let topic_arn = env.text("NOTIFICATIONS_TOPIC_ARN");
        env.finish()?;
        Ok(Self::new(kit::sns(&kit::aws().await), topic_arn))
    }

    /// Tells one shopper.
    ///
    /// # Errors
    /// When the topic does not take it.
    pub async fn handle(&self, notification: Notification) -> Result<Published, NotifyError> {
        tracing::info!(
            order_id = %notification.order_id, shopper = %notification.shopper, notification = ?notification.message,
            "a shopper is notified"
        );
        let body = serde_json::to_string(&notification).map_err(|error| NotifyError(error.to_string()))?;
        let publish = self.client.publish().topic_arn(&self.topic_arn).message(body);
        let answer = publish.send().await.map_err(|error| NotifyError(chain(&error)))?;
        Ok(Published { message_id: answer.message_id.unwrap_or_default() })
    }
}
