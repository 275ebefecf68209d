//! Sends pending orders to the payment saga. A repeated request sends an order again only when its last message is half a minute
//! old, so that many repetitions cost one message and one execution that is not started.

use domain::{Order, Timestamp};
use messages::{OrderMessage, OrdersQueue, SendError};
use parts::{FromParts, Parts};
use store::{Orders, StoreError};

/// Sends pending orders to the payment saga.
pub struct OrderDispatch {
    orders: Orders,
    queue: OrdersQueue,
}

impl FromParts for OrderDispatch {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { orders: parts.orders(), queue: parts.orders_queue() }
    }
}

impl OrderDispatch {
    /// Sends an attempt that has just started.
    ///
    /// # Errors
    /// When SQS does not acknowledge the message.
    pub async fn send(&self, message: &OrderMessage) -> Result<(), SendError> {
        self.queue.send(message).await
    }

    /// Sends an order again if it is pending and its last message is old. The write comes first: if the run dies after it, the
    /// next repetition after half a minute sends the order, or `reconcile` starts its payment.
    ///
    /// # Errors
    /// When the store fails, or SQS does not acknowledge the message.
    pub async fn send_again<E: From<StoreError> + From<SendError>>(&self, order: &Order, now: Timestamp) -> Result<(), E> {
        if order.is_to_be_sent_again(now) && self.orders.send_again(order, now).await? {
            self.queue.send(&OrderMessage::of(order)).await?;
        }
        Ok(())
    }
}
