//! Saga: authorises an order's payment at a gateway once, even if runs repeat and answers are lost. A payment method that
//! cannot be authorised is charged.
//!
//! The task records in the attempt's item which gateway it asks before it asks, and the provider's id of the payment
//! before money can move. A later run of a started attempt looks the payment up at that gateway first, and records that
//! the gateway is asked again before it asks. It asks another gateway only when this one has certainly not charged: this
//! one was down, and no second run had asked it.

use domain::{Attempt, AttemptStatus, ChargeOutcome, IdempotencyKey, Order, OrderId, OrderStatus, ShopperId};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use payments::{Gateways, LookUp, OpenOutcome, PaymentGateway};
use saga::{SagaError, Task};
use serde::{Deserialize, Serialize};
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct ChargePayment {
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
}

/// The attempt to be charged, and the gateway to ask.
#[derive(Debug, Clone, Deserialize)]
pub struct ChargeTask {
    order_id: OrderId,
    shopper: ShopperId,
    attempt: u32,
    /// The gateway's index in order of preference, from 0.
    #[serde(default)]
    gateway: usize,
}

/// The outcome by which the state machine chooses the next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Charged {
    /// The money is reserved, and has not moved.
    Authorised {
        /// The index of the gateway that authorised.
        gateway: usize,
        /// The gateway's reference.
        provider_reference: String,
    },
    /// The money moved.
    Charged {
        /// The index of the gateway that charged.
        gateway: usize,
        /// The gateway's reference.
        provider_reference: String,
    },
    /// The payment method was refused.
    Declined {
        /// The reason, for the shopper.
        reason: String,
    },
    /// The gateway is down and has certainly not charged.
    Unavailable {
        /// The index of the gateway to ask next; `None` if there is none.
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

    /// Authorises or charges one attempt.
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
            // No gateway has this index, possibly because it was removed from the configuration. The stored attempt
            // still counts.
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
            (AttemptStatus::Authorised, _) => self.authorised(&attempt),
            // Kept: another run has completed the order.
            (AttemptStatus::Charged | AttemptStatus::Kept, _) => self.charged(&attempt),
            (AttemptStatus::Declined | AttemptStatus::GivenUp, _) => {
                Ok(Charged::Declined { reason: attempt.reason.unwrap_or_default() })
            }
            // Another run has decided to undo this attempt.
            (AttemptStatus::Refunding | AttemptStatus::Refunded | AttemptStatus::Voided, _) => Err(SagaError::OrderNotPending),
        }
    }
}

impl ChargePayment {
    /// Whether `attempt` asked a gateway before `gateway`. Gateways are asked only in their order. A delayed run must
    /// not charge at an earlier gateway after the saga has moved on: the saga may have told the shopper that nothing
    /// was charged.
    fn comes_before(&self, attempt: &Attempt, gateway: usize) -> bool {
        self.gateways.named(&attempt.gateway).is_none_or(|(index, _)| index < gateway)
    }

    /// Looks up the outcome of a charge that an earlier run started.
    async fn look_up(&self, order: &Order, attempt: Attempt) -> Result<Charged, SagaError> {
        let Some((_, gateway)) = self.gateways.named(&attempt.gateway) else {
            // The gateway was removed from the configuration while it was being asked. Only this gateway knows the
            // outcome.
            return Err(SagaError::PaymentOutcomeUnknown);
        };
        match gateway.look_up(&saga::payment(order, &attempt)?).await {
            LookUp::NotFound | LookUp::Found(ChargeOutcome::Unavailable) => self.charge_again(order, attempt, gateway).await,
            LookUp::Found(outcome) => self.record(attempt, outcome).await,
            LookUp::Unknown => Err(SagaError::PaymentOutcomeUnknown),
        }
    }

    /// Charges again, although the earlier run may still be asking. Once the item records a second run, a run that
    /// finds the gateway down no longer concludes that nothing was charged (ADR 9).
    async fn charge_again(&self, order: &Order, attempt: Attempt, gateway: &dyn PaymentGateway) -> Result<Charged, SagaError> {
        let again = Attempt { asked_again: true, ..attempt.clone() };
        if !attempt.asked_again {
            self.replace(&attempt, &again).await?;
        }
        self.charge(order, again, gateway).await
    }

    async fn charge(&self, order: &Order, attempt: Attempt, gateway: &dyn PaymentGateway) -> Result<Charged, SagaError> {
        let attempt = match gateway.open(&saga::payment(order, &attempt)?).await {
            OpenOutcome::ByKey => attempt,
            OpenOutcome::ById(id) => self.identified(attempt, id).await?,
            OpenOutcome::Not(outcome) => return self.record(attempt, outcome).await,
        };
        let outcome = gateway.charge(&saga::payment(order, &attempt)?).await;
        self.record(attempt, outcome).await
    }

    /// Stores the provider's id of the payment. No run asks for the money before.
    async fn identified(&self, attempt: Attempt, id: String) -> Result<Attempt, SagaError> {
        if attempt.provider_id.as_ref() == Some(&id) {
            return Ok(attempt);
        }
        let after = Attempt { provider_id: Some(id), ..attempt.clone() };
        self.replace(&attempt, &after).await?;
        Ok(after)
    }

    /// Records the gateway's outcome in the attempt.
    async fn record(&self, attempt: Attempt, outcome: ChargeOutcome) -> Result<Charged, SagaError> {
        let after = match outcome {
            ChargeOutcome::Unknown => return Err(SagaError::PaymentOutcomeUnknown),
            // The gateway is down for this run, but may still charge for the other one.
            ChargeOutcome::Unavailable if attempt.asked_again => return Err(SagaError::PaymentOutcomeUnknown),
            ChargeOutcome::Unavailable => Attempt { status: AttemptStatus::Unavailable, ..attempt.clone() },
            ChargeOutcome::Declined { reason } => {
                Attempt { status: AttemptStatus::Declined, reason: Some(reason), ..attempt.clone() }
            }
            ChargeOutcome::Authorised { reference } => {
                Attempt { status: AttemptStatus::Authorised, reference: Some(reference), ..attempt.clone() }
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
            AttemptStatus::Authorised => self.authorised(&after),
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

    fn authorised(&self, attempt: &Attempt) -> Result<Charged, SagaError> {
        let (gateway, provider_reference) = self.by(attempt)?;
        Ok(Charged::Authorised { gateway, provider_reference })
    }

    fn charged(&self, attempt: &Attempt) -> Result<Charged, SagaError> {
        let (gateway, provider_reference) = self.by(attempt)?;
        Ok(Charged::Charged { gateway, provider_reference })
    }

    /// The index of the attempt's gateway, and the gateway's reference.
    fn by(&self, attempt: &Attempt) -> Result<(usize, String), SagaError> {
        let gateway = self.gateways.named(&attempt.gateway).map_or(0, |(index, _)| index);
        Ok((gateway, attempt.reference.clone().ok_or_else(|| changed(&attempt.key))?))
    }

    fn unavailable(&self, attempt: &Attempt) -> Charged {
        let index = self.gateways.named(&attempt.gateway).map(|(index, _)| index + 1);
        Charged::Unavailable { next_gateway: index.filter(|next| self.gateways.at(*next).is_some()) }
    }
}

fn changed(key: &IdempotencyKey) -> SagaError {
    SagaError::changed(&format!("attempt {key}"))
}
