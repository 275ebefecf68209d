//! Saga: charges an order at a gateway, once, whatever is repeated and whatever answer is lost.
//!
//! The attempt's item says which gateway is being asked before it is asked. Whoever comes next to an attempt that was
//! started looks the key up there first, and writes down that the gateway is asked again before asking. Another gateway is
//! asked only when this one has certainly not charged: it was down, and nobody asked it again.

use domain::{Attempt, AttemptStatus, ChargeOutcome, IdempotencyKey, Order, OrderId, OrderStatus, ShopperId};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use payments::{Gateways, LookUp, PaymentGateway};
use saga::{SagaError, Task};
use serde::{Deserialize, Serialize};
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct ChargePayment {
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
}

/// What is to be charged, and at which gateway.
#[derive(Debug, Clone, Deserialize)]
pub struct ChargeTask {
    order_id: OrderId,
    shopper: ShopperId,
    attempt: u32,
    /// In order of preference, from 0.
    #[serde(default)]
    gateway: usize,
}

/// What the state machine chooses by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Charged {
    /// The money moved.
    Charged {
        /// The gateway that charged.
        gateway: usize,
        /// Its reference.
        provider_reference: String,
    },
    /// The payment method was refused.
    Declined {
        /// For the shopper.
        reason: String,
    },
    /// The gateway is down and has certainly not charged.
    Unavailable {
        /// The one to ask next, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_gateway: Option<usize>,
    },
}

impl FromParts for ChargePayment {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { gateways: parts.gateways(), orders: parts.orders(), attempts: parts.attempts() }
    }
}

impl TaskFunction for ChargePayment {
    type Task = ChargeTask;
    type Output = Charged;
    type Error = SagaError;

    /// Charges one attempt.
    ///
    /// # Errors
    /// [`SagaError::PaymentOutcomeUnknown`] when the gateway has to be asked again.
    async fn handle(&self, task: ChargeTask) -> Result<Charged, SagaError> {
        let asked = Task { order_id: task.order_id, shopper: task.shopper, attempt: task.attempt };
        let order = saga::order(&self.orders, &asked).await?;
        if order.status != OrderStatus::Pending || order.attempt != asked.attempt {
            return Err(SagaError::OrderNotPending);
        }
        let (asked_for, key) = (self.gateways.at(task.gateway), asked.key());
        let (attempt, is_new) = match asked_for {
            Some(gateway) => self.attempts.begin(&key, gateway.name()).await?,
            // No such gateway, perhaps not any more. What is known of the attempt counts all the same.
            None => match self.attempts.get(&key).await? {
                Some(attempt) => (attempt, false),
                None => return Ok(Charged::Unavailable { next_gateway: None }),
            },
        };
        match (attempt.status, asked_for) {
            (AttemptStatus::Started, Some(gateway)) if is_new => self.charge(&order, attempt, gateway).await,
            (AttemptStatus::Started, _) => self.look_up(&order, attempt).await,
            (AttemptStatus::Unavailable, Some(gateway)) if self.comes_before(&attempt, task.gateway) => {
                let next = Attempt::started(key, gateway.name().clone());
                self.replace(&attempt, &next).await?;
                self.charge(&order, next, gateway).await
            }
            (AttemptStatus::Unavailable, _) => Ok(self.unavailable(&attempt)),
            // Kept: another run has gone all the way to the completed order.
            (AttemptStatus::Charged | AttemptStatus::Kept, _) => self.charged(&attempt),
            (AttemptStatus::Declined | AttemptStatus::GivenUp, _) => {
                Ok(Charged::Declined { reason: attempt.reason.unwrap_or_default() })
            }
            // Somebody has decided that this attempt pays for nothing.
            (AttemptStatus::Refunding | AttemptStatus::Refunded | AttemptStatus::Voided, _) => Err(SagaError::OrderNotPending),
        }
    }
}

impl ChargePayment {
    /// Gateways are asked in their order only: a run that was held up must not charge at an earlier one after the saga has
    /// gone on, and perhaps has told the shopper that nothing was charged.
    fn comes_before(&self, attempt: &Attempt, gateway: usize) -> bool {
        self.gateways.named(&attempt.gateway).is_none_or(|(index, _)| index < gateway)
    }

    /// Finds out what became of a charge that somebody started.
    async fn look_up(&self, order: &Order, attempt: Attempt) -> Result<Charged, SagaError> {
        let Some((_, gateway)) = self.gateways.named(&attempt.gateway) else {
            // Configured away while it was being asked: only it can say what happened.
            return Err(SagaError::PaymentOutcomeUnknown);
        };
        match gateway.look_up(&attempt.key).await {
            LookUp::NotFound | LookUp::Found(ChargeOutcome::Unavailable) => self.charge_again(order, attempt, gateway).await,
            LookUp::Found(outcome) => self.record(attempt, outcome).await,
            LookUp::Unknown => Err(SagaError::PaymentOutcomeUnknown),
        }
    }

    /// Whoever asked before may still be asking. Once it is written down that there are two, no run that finds the gateway down
    /// says so of the attempt (ADR 9).
    async fn charge_again(&self, order: &Order, attempt: Attempt, gateway: &dyn PaymentGateway) -> Result<Charged, SagaError> {
        let again = Attempt { asked_again: true, ..attempt.clone() };
        if !attempt.asked_again {
            self.replace(&attempt, &again).await?;
        }
        self.charge(order, again, gateway).await
    }

    async fn charge(&self, order: &Order, attempt: Attempt, gateway: &dyn PaymentGateway) -> Result<Charged, SagaError> {
        let Some(method) = &order.payment_method else { return Err(SagaError::OrderNotPending) };
        let outcome = gateway.charge(&attempt.key, order.amount, method).await;
        self.record(attempt, outcome).await
    }

    /// Writes down what the gateway said.
    async fn record(&self, attempt: Attempt, outcome: ChargeOutcome) -> Result<Charged, SagaError> {
        let after = match outcome {
            ChargeOutcome::Unknown => return Err(SagaError::PaymentOutcomeUnknown),
            // Down for this run; another one may still be charged.
            ChargeOutcome::Unavailable if attempt.asked_again => return Err(SagaError::PaymentOutcomeUnknown),
            ChargeOutcome::Unavailable => Attempt { status: AttemptStatus::Unavailable, ..attempt.clone() },
            ChargeOutcome::Declined { reason } => {
                Attempt { status: AttemptStatus::Declined, reason: Some(reason), ..attempt.clone() }
            }
            ChargeOutcome::Charged { reference, confirmed } => Attempt {
                status: AttemptStatus::Charged,
                reference: Some(reference),
                confirmed: Some(confirmed),
                ..attempt.clone()
            },
        };
        self.replace(&attempt, &after).await?;
        match after.status {
            AttemptStatus::Charged | AttemptStatus::Kept => self.charged(&after),
            AttemptStatus::Declined | AttemptStatus::GivenUp => {
                Ok(Charged::Declined { reason: after.reason.unwrap_or_default() })
            }
            AttemptStatus::Unavailable => Ok(self.unavailable(&after)),
            AttemptStatus::Started | AttemptStatus::Refunding | AttemptStatus::Refunded | AttemptStatus::Voided => {
                Err(SagaError::OrderNotPending)
            }
        }
    }

    async fn replace(&self, before: &Attempt, after: &Attempt) -> Result<(), SagaError> {
        let is_written = self.attempts.replace(before, after).await?;
        if is_written { Ok(()) } else { Err(changed(&before.key)) }
    }

    fn charged(&self, attempt: &Attempt) -> Result<Charged, SagaError> {
        let gateway = self.gateways.named(&attempt.gateway).map_or(0, |(index, _)| index);
        let reference = attempt.reference.clone().ok_or_else(|| changed(&attempt.key))?;
        Ok(Charged::Charged { gateway, provider_reference: reference })
    }

    fn unavailable(&self, attempt: &Attempt) -> Charged {
        let index = self.gateways.named(&attempt.gateway).map(|(index, _)| index + 1);
        Charged::Unavailable { next_gateway: index.filter(|next| self.gateways.at(*next).is_some()) }
    }
}

fn changed(key: &IdempotencyKey) -> SagaError {
    SagaError::changed(&format!("attempt {key}"))
}
