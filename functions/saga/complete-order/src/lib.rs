//! Saga: completes an order whose payment is charged and whose units are sold. Only this task says "paid", so it checks
//! that the amount that the gateway confirmed is the order's amount.

use std::sync::Arc;

use domain::{Clock, Order, OrderStatus};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Advanced, Attempts, Orders, Purchases};

/// The Lambda handler and its dependencies.
pub struct CompleteOrder {
    clock: Arc<dyn Clock>,
    orders: Orders,
    attempts: Attempts,
    purchases: Purchases,
}

/// The output: the order is completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completed {
    /// The gateway's reference.
    pub transaction_id: String,
}

impl FromParts for CompleteOrder {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), orders: parts.orders(), attempts: parts.attempts(), purchases: parts.purchases() }
    }
}

impl TaskFunction for CompleteOrder {
    type Task = Task;
    type Output = Completed;
    type Error = SagaError;

    /// Completes one order.
    ///
    /// # Errors
    /// [`SagaError::ChargeMismatch`] when another amount was charged. [`SagaError::OrderNotPending`] when the order has
    /// ended otherwise, or another run has decided to refund the charge.
    async fn handle(&self, task: Task) -> Result<Completed, SagaError> {
        let order = saga::order(&self.orders, &task).await?;
        let attempt = self.attempts.get(&task.key()).await?.ok_or(SagaError::OrderNotPending)?;
        // Kept: by an earlier run. `Purchases::complete` finds the order completed.
        if !attempt.status.is_charged() {
            return Err(SagaError::OrderNotPending);
        }
        let transaction_id = attempt.reference.ok_or(SagaError::OrderNotPending)?;
        if attempt.confirmed != Some(order.amount) {
            return Err(SagaError::ChargeMismatch);
        }
        match self.purchases.complete(&order, task.attempt, &transaction_id, self.clock.now()).await? {
            Advanced::Done => Ok(Completed { transaction_id }),
            Advanced::OrderIs(order) if is_completed_by(&order, &task) => Ok(Completed { transaction_id }),
            // AttemptChanged: another run changed the attempt, which was charged when this run read it.
            Advanced::OrderIs(_) | Advanced::ReservationLost | Advanced::AttemptChanged => Err(SagaError::OrderNotPending),
        }
    }
}

/// An earlier run of the same task completed the order.
fn is_completed_by(order: &Order, task: &Task) -> bool {
    order.status == OrderStatus::Completed && order.attempt == task.attempt
}
