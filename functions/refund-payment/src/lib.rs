//! Saga, compensation: gives the money of an attempt back, or makes sure that it is never charged.

use domain::{Attempt, AttemptStatus, OrderStatus, RefundOutcome};
use kit::{ConfigurationError, Environment};
use payments::Gateways;
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Attempts, Orders, SandboxLedger};

/// The function, with what it stands on.
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

impl RefundPayment {
    /// The function on what it is given.
    #[must_use]
    pub fn new(gateways: Gateways, orders: Orders, attempts: Attempts) -> Self {
        Self { gateways, orders, attempts }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let table = env.text("ORDER_TABLE");
        let (names, with_sandbox) = (env.list("PAYMENT_GATEWAYS"), env.text("ENVIRONMENT") != "prod");
        let client = kit::dynamodb(&kit::aws().await);
        let ledger = SandboxLedger::new(client.clone(), &table);
        let gateways = Gateways::configured(&names, with_sandbox, &ledger);
        let gateways = gateways.map_err(|error| env.fault(format!("PAYMENT_GATEWAYS: {error}"))).ok();
        env.finish()?;
        let gateways = gateways.unwrap_or_default();
        Ok(Self::new(gateways, Orders::new(client.clone(), &table), Attempts::new(client, &table)))
    }

    /// Returns the money of one attempt.
    ///
    /// # Errors
    /// [`SagaError::RefundUnconfirmed`] when the gateway has to be asked again, [`SagaError::OrderNotPending`] when the
    /// order is completed: what was bought and delivered is not refunded by a saga that comes late.
    pub async fn handle(&self, task: Task) -> Result<Returned, SagaError> {
        let order = saga::order(&self.orders, &task).await?;
        if order.status == OrderStatus::Completed {
            return Err(SagaError::OrderNotPending);
        }
        let Some(attempt) = self.attempts.get(&task.key()).await? else { return self.never_begin(&task).await };
        match attempt.status {
            AttemptStatus::Refunded => Ok(Returned { refunded: true }),
            AttemptStatus::Voided | AttemptStatus::Declined => Ok(Returned { refunded: false }),
            // One gateway was down: a late charge would go on to the next.
            AttemptStatus::Unavailable => self.void(&attempt).await,
            AttemptStatus::Started | AttemptStatus::Charged => self.refund(attempt).await,
        }
    }

    async fn refund(&self, attempt: Attempt) -> Result<Returned, SagaError> {
        let (_, gateway) = self.gateways.named(&attempt.gateway).ok_or(SagaError::RefundUnconfirmed)?;
        let (status, refunded) = match gateway.refund(&attempt.key).await {
            RefundOutcome::Refunded => (AttemptStatus::Refunded, true),
            RefundOutcome::Voided => (AttemptStatus::Voided, false),
            RefundOutcome::Unknown => return Err(SagaError::RefundUnconfirmed),
        };
        self.replace(&attempt, status).await?;
        Ok(Returned { refunded })
    }

    /// No gateway was asked, and none will be: the attempt is written down as void before a late charge can begin it.
    async fn never_begin(&self, task: &Task) -> Result<Returned, SagaError> {
        let Some(gateway) = self.gateways.at(0) else { return Ok(Returned { refunded: false }) };
        match self.attempts.begin(&task.key(), gateway.name()).await? {
            (attempt, true) => self.void(&attempt).await,
            (_, false) => Err(SagaError::changed("the attempt")),
        }
    }

    /// No charge of an attempt that is void is begun.
    async fn void(&self, attempt: &Attempt) -> Result<Returned, SagaError> {
        self.replace(attempt, AttemptStatus::Voided).await.map(|()| Returned { refunded: false })
    }

    async fn replace(&self, attempt: &Attempt, status: AttemptStatus) -> Result<(), SagaError> {
        let after = Attempt { status, ..attempt.clone() };
        let is_written = self.attempts.replace(attempt, &after).await?;
        if is_written { Ok(()) } else { Err(SagaError::changed("the attempt")) }
    }
}
