//! Saga: captures an authorised payment after its units are sold, so that nobody's money moves for a unit that is gone.
//!
//! A capture may be asked for again: the gateway captures once. If another run decides to undo the attempt at the same
//! time, the gateway sees the capture first and then refunds it, or sees the void first and refuses the capture.

use domain::{Attempt, AttemptStatus, CaptureOutcome, Order, OrderStatus};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use payments::Gateways;
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct CapturePayment {
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
}

/// The output: the money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Captured {
    /// The gateway's reference.
    pub provider_reference: String,
}

impl FromParts for CapturePayment {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { gateways: parts.gateways(), orders: parts.orders(), attempts: parts.attempts() }
    }
}

impl TaskFunction for CapturePayment {
    type Task = Task;
    type Output = Captured;
    type Error = SagaError;

    /// Captures one attempt. A payment that was charged at once needs no capture.
    ///
    /// # Errors
    /// [`SagaError::CaptureRefused`] when the gateway certainly does not capture.
    /// [`SagaError::CaptureOutcomeUnknown`] when the gateway has to be asked again.
    /// [`SagaError::OrderNotPending`] when nothing is authorised for this attempt, or another run undoes it.
    async fn handle(&self, task: Task) -> Result<Captured, SagaError> {
        let order = saga::order(&self.orders, &task).await?;
        let attempt = self.attempts.get(&task.key()).await?.ok_or(SagaError::OrderNotPending)?;
        match attempt.status {
            AttemptStatus::Authorised if order.status == OrderStatus::Pending && order.attempt == task.attempt => {
                self.capture(&order, attempt).await
            }
            // Kept: another run has completed the order.
            AttemptStatus::Charged | AttemptStatus::Kept => captured(attempt),
            AttemptStatus::Started
            | AttemptStatus::Authorised
            | AttemptStatus::Refunding
            | AttemptStatus::Declined
            | AttemptStatus::Unavailable
            | AttemptStatus::GivenUp
            | AttemptStatus::Refunded
            | AttemptStatus::Voided => Err(SagaError::OrderNotPending),
        }
    }
}

impl CapturePayment {
    async fn capture(&self, order: &Order, attempt: Attempt) -> Result<Captured, SagaError> {
        // A gateway that was removed from the configuration is the only one that can capture: the outcome is unknown.
        let gateway = self.gateways.named(&attempt.gateway).ok_or(SagaError::CaptureOutcomeUnknown)?;
        let confirmed = match gateway.capture(&saga::payment(order, &attempt)?).await {
            CaptureOutcome::Captured { confirmed } => confirmed,
            CaptureOutcome::Refused { reason } => return Err(SagaError::CaptureRefused(reason)),
            CaptureOutcome::Unknown => return Err(SagaError::CaptureOutcomeUnknown),
        };
        let after = Attempt { status: AttemptStatus::Charged, confirmed: Some(confirmed), ..attempt.clone() };
        if self.attempts.replace(&attempt, &after).await? {
            captured(after)
        } else {
            Err(SagaError::changed(&format!("attempt {}", attempt.key)))
        }
    }
}

fn captured(attempt: Attempt) -> Result<Captured, SagaError> {
    attempt.reference.map(|provider_reference| Captured { provider_reference }).ok_or(SagaError::OrderNotPending)
}
