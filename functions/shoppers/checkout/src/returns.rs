//! Shoppers who come back from a provider's page: the worker `settle-payment` looks whether their payment can go on.

use std::sync::Arc;

use domain::{Attempt, AttemptStatus, Clock, Order, OrderStatus, SignedDuration};
use messages::{PaymentEvent, PaymentEventsQueue, SendError};
use parts::{FromParts, Parts};
use store::{Attempts, StoreError};

/// A page that asks again and again makes the worker ask the provider once in this time.
const ONE_RETURN_IN: SignedDuration = SignedDuration::from_secs(2);

/// Tells the worker of shoppers who have come back.
pub struct ShopperReturns {
    clock: Arc<dyn Clock>,
    attempts: Attempts,
    queue: PaymentEventsQueue,
}

impl FromParts for ShopperReturns {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), attempts: parts.attempts(), queue: parts.payment_events_queue() }
    }
}

impl ShopperReturns {
    /// If the payment of `order` waits for its shopper, tells the worker that the shopper is here. Returns the attempt of a
    /// pending order, once a gateway is being asked. A run that dies before it sends has only noted the return: the next request
    /// after two seconds is told.
    ///
    /// # Errors
    /// When the store fails, or SQS does not acknowledge the message.
    pub async fn note<E: From<StoreError> + From<SendError>>(&self, order: &Order) -> Result<Option<Attempt>, E> {
        if order.status != OrderStatus::Pending {
            return Ok(None);
        }
        let attempt = self.attempts.get(&order.key()).await?;
        let waits = attempt.as_ref().is_some_and(|it| it.status == AttemptStatus::Started && it.waiting.is_some());
        if waits && self.attempts.note_return(&order.key(), ONE_RETURN_IN, self.clock.now()).await? {
            let (order_id, shopper, attempt) = (order.id.clone(), order.shopper.clone(), order.attempt);
            self.queue.send(&PaymentEvent::ShopperReturned { order_id, shopper, attempt }).await?;
        }
        Ok(attempt)
    }
}
