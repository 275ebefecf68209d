//! Saga: reports the outcome of an order to its shopper: a log line, and a message to the topic for a subscriber that
//! sends e-mail.
//!
//! The order says what its shopper has still to be told, from the step that ends a payment until this function has published it.
//! If no run of the saga gets this far, `reconcile` publishes it. `refund-order` publishes operators' refunds in the same way. So a
//! shopper may be told twice, and is told at least once.

use domain::{Notice, Order, OrderId, OrderStatus, Refunds, ShopperId, Timestamp};
use kit::{TaskFunction, chain, workers::TaskError};
use parts::{FromParts, Parts, Topic};
use serde::{Deserialize, Serialize};
use store::Orders;

/// The Lambda handler and its dependencies.
pub struct NotifyShopper {
    topic: Topic,
    orders: Orders,
}

/// A shopper, an order and the news about it. Only these are published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    order_id: OrderId,
    shopper: ShopperId,
    message: Notice,
    /// The attempt that has ended.
    #[serde(skip_serializing)]
    attempt: u32,
    /// The refunds of the order as they were read. The saga tells of none.
    #[serde(skip)]
    refunds: Refunds,
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
        Self { topic: parts.notifications(), orders: parts.orders() }
    }
}

impl Notification {
    /// What the shopper of `order` has still to be told at `now`, if anything.
    #[must_use]
    pub fn owed(order: &Order, now: Timestamp) -> Option<Self> {
        let untold = order.untold?;
        // After its end, no other method can be tried any more.
        let is_over = untold == Notice::PaymentFailed && order.statuses(now).0 == OrderStatus::Expired;
        let message = if is_over { Notice::OrderFailed } else { untold };
        let (order_id, shopper, refunds) = (order.id.clone(), order.shopper.clone(), order.refunds.clone());
        Some(Self { order_id, shopper, message, attempt: order.attempt, refunds })
    }
}

impl TaskFunction for NotifyShopper {
    type Task = Notification;
    type Output = Published;
    type Error = NotifyError;

    /// Notifies one shopper, and then records it in the order.
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
        let Notification { order_id, attempt, message, refunds, .. } = &notification;
        let recorded = match message {
            Notice::OrderRefunded => self.orders.told_of_refunds(order_id, refunds).await,
            Notice::OrderCompleted | Notice::PaymentFailed | Notice::OrderFailed | Notice::RefundFailed => {
                self.orders.told(order_id, *attempt, *message).await
            }
        };
        if let Err(error) = recorded {
            // The shopper is told. `reconcile` finds the order and tells once more.
            tracing::warn!(order = %order_id, cause = chain(&error), "a notification was not recorded");
        }
        Ok(Published { message_id: answer.message_id.unwrap_or_default() })
    }
}
