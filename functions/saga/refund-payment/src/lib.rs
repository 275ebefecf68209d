//! Saga, compensation: refunds an attempt's charge, voids its authorisation, or makes sure that it is never charged.
//!
//! The task records the refund in the attempt before it asks the gateway: from then on, no run completes the order with
//! this charge. It does not record a refund once a completed order has kept the charge, or the order waits for another
//! attempt.

use domain::{Attempt, AttemptStatus, GatewayName, Order, OrderStatus, RefundOutcome};
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

/// The output: the gateway keeps no money of this attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Returned {
    /// True: the charge was refunded. False: nothing is charged or authorised, and nothing ever will be.
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

    /// Refunds one attempt.
    ///
    /// # Errors
    /// [`SagaError::RefundUnconfirmed`] when the gateway has to be asked again. [`SagaError::OrderNotPending`] when the
    /// order is completed: a late saga does not refund a purchase that the shopper keeps.
    async fn handle(&self, task: Task) -> Result<Returned, SagaError> {
        let order = saga::order(&self.orders, &task).await?;
        if order.status == OrderStatus::Completed {
            return Err(SagaError::OrderNotPending);
        }
        let attempt = self.attempt(&task, &order).await?;
        match attempt.status {
            AttemptStatus::Refunded => Ok(Returned { refunded: true }),
            AttemptStatus::Voided => Ok(Returned { refunded: false }),
            // From now on, no run can let the order wait for another attempt without its units, and no late run can
            // charge at the next gateway.
            AttemptStatus::Declined | AttemptStatus::Unavailable => {
                self.replace(&attempt, AttemptStatus::Voided).await?;
                Ok(Returned { refunded: false })
            }
            AttemptStatus::Started | AttemptStatus::Authorised | AttemptStatus::Charged => {
                let refunding = self.replace(&attempt, AttemptStatus::Refunding).await?;
                self.refund(&order, &refunding).await
            }
            AttemptStatus::Refunding => self.refund(&order, &attempt).await,
            // The order was completed after this task read it, or it waits for another attempt. This attempt must not
            // undo its units.
            AttemptStatus::Kept | AttemptStatus::GivenUp => Err(SagaError::OrderNotPending),
        }
    }
}

impl RefundPayment {
    /// The stored attempt. If there is none, no gateway was asked. The task then records the attempt as void, so that a
    /// late charge cannot begin it.
    async fn attempt(&self, task: &Task, order: &Order) -> Result<Attempt, SagaError> {
        let key = task.key();
        if let Some(attempt) = self.attempts.get(&key).await? {
            return Ok(attempt);
        }
        // An account that was taken out of the configuration was not asked either.
        let nobody = GatewayName("none".to_owned());
        let gateways = self.gateways.that_take(order);
        let gateway = gateways.first().map_or(&nobody, |gateway| gateway.name());
        Ok(self.attempts.rule_out(&key, gateway).await?)
    }

    async fn refund(&self, order: &Order, refunding: &Attempt) -> Result<Returned, SagaError> {
        let gateway = self.gateways.named(&refunding.gateway).ok_or(SagaError::RefundUnconfirmed)?;
        let (status, refunded) = match gateway.refund(&saga::payment(order, refunding)?).await {
            RefundOutcome::Refunded => (AttemptStatus::Refunded, true),
            RefundOutcome::Voided => (AttemptStatus::Voided, false),
            RefundOutcome::Unknown => return Err(SagaError::RefundUnconfirmed),
        };
        self.replace(refunding, status).await?;
        Ok(Returned { refunded })
    }

    /// Writes the attempt's new status. If another run has decided first, the task fails with `StoreUnavailable` and
    /// runs again.
    async fn replace(&self, attempt: &Attempt, status: AttemptStatus) -> Result<Attempt, SagaError> {
        let after = Attempt { status, ..attempt.clone() };
        let is_written = self.attempts.replace(attempt, &after).await?;
        if is_written { Ok(after) } else { Err(SagaError::changed("the attempt")) }
    }
}
