//! Saga: before an execution waits for its shopper, stores the task token by which it is told that something has changed.
//!
//! The shopper may act at any moment, also before the token is stored. So the task reads the payment at its gateway after it
//! has stored the token. It finds a change that came before; `settle-payment` finds the token for a change that comes later.

use domain::{Attempt, AttemptStatus, ChargeOutcome, OrderId, ShopperId, Waiting};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use payments::{Gateways, LookUp};
use saga::{SagaError, Task};
use serde::{Deserialize, Serialize};
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct AwaitAction {
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
}

/// The attempt that waits for its shopper.
#[derive(Debug, Clone, Deserialize)]
pub struct AwaitTask {
    order_id: OrderId,
    shopper: ShopperId,
    attempt: u32,
    /// Identifies the waiting execution to Step Functions.
    task_token: String,
}

/// Step Functions drops this: the state's output is what `settle-payment` sends with the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Awaited {}

impl FromParts for AwaitAction {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { gateways: parts.gateways(), orders: parts.orders(), attempts: parts.attempts() }
    }
}

impl TaskFunction for AwaitAction {
    type Task = AwaitTask;
    type Output = Awaited;
    type Error = SagaError;

    /// Stores the token, if there is still something to wait for.
    ///
    /// # Errors
    /// [`SagaError::ActionTaken`] when there is nothing to wait for: the saga asks the gateway what became of the payment.
    async fn handle(&self, task: AwaitTask) -> Result<Awaited, SagaError> {
        let asked = Task { order_id: task.order_id, shopper: task.shopper, attempt: task.attempt };
        let order = saga::pending_order(&self.orders, &asked).await?;
        let attempt = self.attempts.get(&asked.key()).await?.ok_or(SagaError::OrderNotPending)?;
        let (AttemptStatus::Started, Some(waiting)) = (attempt.status, &attempt.waiting) else {
            return Err(SagaError::ActionTaken);
        };
        let waiting = Waiting { task_token: Some(task.task_token), ..waiting.clone() };
        let after = Attempt { waiting: Some(waiting), ..attempt.clone() };
        if !self.attempts.replace(&attempt, &after).await? {
            return Err(SagaError::changed(&format!("attempt {}", attempt.key)));
        }
        let gateway = self.gateways.named(&after.gateway).ok_or(SagaError::PaymentOutcomeUnknown)?;
        match gateway.look_up(&saga::payment(&order, &after)?).await {
            // A gateway that does not answer is asked again when the shopper has acted, or at the end of the time.
            LookUp::Found(ChargeOutcome::RequiresAction(_)) | LookUp::Unknown => Ok(Awaited {}),
            LookUp::Found(_) | LookUp::NotFound => Err(SagaError::ActionTaken),
        }
    }
}
