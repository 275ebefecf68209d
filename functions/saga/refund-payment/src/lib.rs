//! Saga, compensation: gives the money of an attempt back, or makes sure that it is never charged.
//!
//! That it goes back is written down before the gateway is asked, so that from then on no run completes the order with it;
//! and it is not written down any more once a completed order has kept it, or the order waits for another attempt.

use domain::{Attempt, AttemptStatus, OrderStatus, RefundOutcome};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use payments::Gateways;
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct RefundPayment {
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
}

/// The money is where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Returned {
    /// It had been charged. False: it had not, and never will be.
    pub refunded: bool,
}

impl FromParts for RefundPayment {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { gateways: parts.gateways(), orders: parts.orders(), attempts: parts.attempts() }
    }
}

impl TaskFunction for RefundPayment {
    type Task = Task;
    type Output = Returned;
    type Error = SagaError;

    /// Returns the money of one attempt.
    ///
    /// # Errors
    /// [`SagaError::RefundUnconfirmed`] when the gateway has to be asked again, [`SagaError::OrderNotPending`] when the
    /// order is completed: what was bought and delivered is not refunded by a saga that comes late.
    async fn handle(&self, task: Task) -> Result<Returned, SagaError> {
        let order = saga::order(&self.orders, &task).await?;
        if order.status == OrderStatus::Completed {
            return Err(SagaError::OrderNotPending);
        }
        let Some(attempt) = self.attempt(&task).await? else { return Ok(Returned { refunded: false }) };
        match attempt.status {
            AttemptStatus::Refunded => Ok(Returned { refunded: true }),
            AttemptStatus::Voided => Ok(Returned { refunded: false }),
            // From now on the order cannot wait for another attempt without its units, nor a late charge go on to the next
            // gateway.
            AttemptStatus::Declined | AttemptStatus::Unavailable => {
                self.replace(&attempt, AttemptStatus::Voided).await?;
                Ok(Returned { refunded: false })
            }
            AttemptStatus::Started | AttemptStatus::Charged => {
                let refunding = self.replace(&attempt, AttemptStatus::Refunding).await?;
                self.refund(&refunding).await
            }
            AttemptStatus::Refunding => self.refund(&attempt).await,
            // The order was completed after it was read, or waits for another attempt: its units are not this one's to undo.
            AttemptStatus::Kept | AttemptStatus::GivenUp => Err(SagaError::OrderNotPending),
        }
    }
}

impl RefundPayment {
    /// What is known of the attempt. If nothing is, no gateway was asked, and none will be: it is void before a late charge can
    /// begin it.
    async fn attempt(&self, task: &Task) -> Result<Option<Attempt>, SagaError> {
        let key = task.key();
        match (self.attempts.get(&key).await?, self.gateways.at(0)) {
            (Some(attempt), _) => Ok(Some(attempt)),
            (None, Some(gateway)) => Ok(Some(self.attempts.rule_out(&key, gateway.name()).await?)),
            (None, None) => Ok(None),
        }
    }

    async fn refund(&self, refunding: &Attempt) -> Result<Returned, SagaError> {
        let (_, gateway) = self.gateways.named(&refunding.gateway).ok_or(SagaError::RefundUnconfirmed)?;
        let (status, refunded) = match gateway.refund(&refunding.key).await {
            RefundOutcome::Refunded => (AttemptStatus::Refunded, true),
            RefundOutcome::Voided => (AttemptStatus::Voided, false),
            RefundOutcome::Unknown => return Err(SagaError::RefundUnconfirmed),
        };
        self.replace(refunding, status).await?;
        Ok(Returned { refunded })
    }

    /// The attempt in its new status. Somebody else may have decided about it first: then it is read again.
    async fn replace(&self, attempt: &Attempt, status: AttemptStatus) -> Result<Attempt, SagaError> {
        let after = Attempt { status, ..attempt.clone() };
        let is_written = self.attempts.replace(attempt, &after).await?;
        if is_written { Ok(after) } else { Err(SagaError::changed("the attempt")) }
    }
}
