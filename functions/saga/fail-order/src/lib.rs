//! Saga: ends an attempt without a purchase. After a failed payment, the reservation goes back to its shopper for
//! another try, unless its time is over. After a refund, the order and its reservation end. If the refund is not confirmed, both are kept for an
//! operator's review.

use std::sync::Arc;

use domain::{AttemptStatus, Clock, Order, OrderId, OrderStatus, OrderStep, PaymentStatus, ShopperId, Timestamp};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use saga::{SagaError, Task};
use serde::{Deserialize, Serialize};
use store::{Advanced, Attempts, Orders, Purchases, Reservations};

/// The Lambda handler and its dependencies.
pub struct FailOrder {
    clock: Arc<dyn Clock>,
    orders: Orders,
    attempts: Attempts,
    reservations: Reservations,
    purchases: Purchases,
}

/// How the attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Nothing was charged; the shopper may try another method.
    PaymentFailed,
    /// The money was refunded, or never taken; the units are available again.
    Refunded,
    /// The gateway has not confirmed the refund.
    RefundPending,
}

/// The attempt that has ended, and how.
#[derive(Debug, Clone, Deserialize)]
pub struct FailTask {
    order_id: OrderId,
    shopper: ShopperId,
    attempt: u32,
    ending: Ending,
    #[serde(default)]
    reason: Option<String>,
}

/// The output: the order's status now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// After this run, or after the earlier run that ended the attempt.
    pub order_status: OrderStatus,
}

impl FromParts for FailOrder {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            reservations: parts.reservations(),
            purchases: parts.purchases(),
        }
    }
}

impl TaskFunction for FailOrder {
    type Task = FailTask;
    type Output = Ended;
    type Error = SagaError;

    /// Ends one attempt.
    ///
    /// # Errors
    /// [`SagaError::OrderNotPending`] when the order has ended in another way.
    async fn handle(&self, task: FailTask) -> Result<Ended, SagaError> {
        let now = self.clock.now();
        let of = Task { order_id: task.order_id, shopper: task.shopper, attempt: task.attempt };
        let order = saga::order(&self.orders, &of).await?;
        let waits_on = matches!(task.ending, Ending::PaymentFailed);
        let (advanced, intended) = match task.ending {
            Ending::PaymentFailed => {
                let reason = task.reason.as_deref().unwrap_or("The payment failed.");
                self.hand_back(&of, &order, reason, now).await?
            }
            Ending::Refunded => {
                let step = self.step_after_refund(&of, &order).await?;
                (self.purchases.end(&order, of.attempt, step, now).await?, step.leads_to().0)
            }
            Ending::RefundPending => {
                let step = OrderStep::RefundFailed;
                (self.purchases.end_order(&order, of.attempt, step, now).await?, step.leads_to().0)
            }
        };
        let order_status = match advanced {
            Advanced::Done => intended,
            // An earlier run of this task ended the attempt, and the order may have changed since.
            Advanced::OrderIs(order) if order.status == intended && order.attempt == of.attempt => order.statuses(now).0,
            Advanced::OrderIs(order) if waits_on && order.attempt > of.attempt => order.status,
            Advanced::OrderIs(order) if order.status == OrderStatus::Expired => order.status,
            Advanced::OrderIs(_) | Advanced::ReservationLost | Advanced::AttemptChanged => {
                return Err(SagaError::OrderNotPending);
            }
        };
        Ok(Ended { order_status })
    }
}

impl FailOrder {
    /// Makes the order wait again, and holds its reservation for at least two more minutes or until its latest end. If
    /// that has passed, hold and order are over. In both cases `schedule-expiry` sees the hold in the stream and sends the
    /// message that ends it. Also returns the intended order status.
    async fn hand_back(
        &self,
        task: &Task,
        order: &Order,
        reason: &str,
        now: Timestamp,
    ) -> Result<(Advanced, OrderStatus), SagaError> {
        let Some(reservation) = saga::reservation(&self.reservations, task).await? else {
            // The reservation is gone, so the order has nothing to wait for.
            let step = OrderStep::Failed;
            return Ok((self.purchases.end_order(order, task.attempt, step, now).await?, step.leads_to().0));
        };
        let waits = OrderStep::PaymentFailed.leads_to().0;
        let pay_by = reservation.end_after_failed_payment(now);
        let advanced = self.purchases.payment_failed(order, task.attempt, pay_by, reason, now).await?;
        let is_over = matches!(advanced, Advanced::Done) && pay_by <= now;
        Ok((advanced, if is_over { OrderStep::Expired.leads_to().0 } else { waits }))
    }

    /// The order's step, depending on whether there was money to refund and whether the order already says that its
    /// refund is pending.
    async fn step_after_refund(&self, task: &Task, order: &Order) -> Result<OrderStep, SagaError> {
        let attempt = self.attempts.get(&task.key()).await?;
        let was_pending = order.payment_status == PaymentStatus::RefundPending;
        Ok(match attempt.map(|attempt| attempt.status) {
            Some(AttemptStatus::Refunded | AttemptStatus::Voided) if was_pending => OrderStep::RefundConfirmed,
            Some(AttemptStatus::Refunded) => OrderStep::Refunded,
            Some(AttemptStatus::Declined | AttemptStatus::Unavailable | AttemptStatus::Voided) | None => OrderStep::Failed,
            Some(AttemptStatus::Started | AttemptStatus::Authorised | AttemptStatus::Charged | AttemptStatus::Refunding) => {
                return Err(SagaError::RefundUnconfirmed);
            }
            // The order is completed, or waits for another attempt.
            Some(AttemptStatus::Kept | AttemptStatus::GivenUp) => return Err(SagaError::OrderNotPending),
        })
    }
}
