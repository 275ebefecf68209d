//! Saga: authorises an order's payment at a gateway once, even if runs repeat and answers are lost. A payment method that
//! cannot be authorised is charged.
//!
//! The task records in the attempt's item which gateway it asks before it asks, and the provider's id of the payment
//! before money can move. A later run of a started attempt looks the payment up at that gateway first, and records that
//! the gateway is asked again before it asks. It asks another gateway only when this one has certainly not charged: this
//! one was down, and no second run had asked it. Before all this, a payment waits for its turn at the gateway.
//!
//! A shopper who has to act, as by 3-D Secure, has time until the end of the hold. After it, the payment is ended at the
//! gateway, and only the gateway says whether the shopper was faster.

use std::sync::Arc;

use domain::{
    Attempt, AttemptStatus, ChargeOutcome, Clock, GatewayName, IdempotencyKey, Order, OrderId, ShopperId, Timestamp, Waiting,
    seconds_until,
};
use kit::{TaskFunction, metrics};
use parts::{FromParts, Parts};
use payments::{Admission, Gateways, LookUp, OpenOutcome, PaymentGateway};
use saga::{SagaError, Task};
use serde::{Deserialize, Serialize};
use store::{Attempts, Orders, Reservations};

/// The Lambda handler and its dependencies.
pub struct ChargePayment {
    clock: Arc<dyn Clock>,
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
    reservations: Reservations,
}

/// The attempt to be charged, and the gateway to ask.
#[derive(Debug, Clone, Deserialize)]
pub struct ChargeTask {
    order_id: OrderId,
    shopper: ShopperId,
    attempt: u32,
    /// The gateway's index among those that take the order's token, from 0.
    #[serde(default)]
    gateway: usize,
    /// The payment has waited for its turn at this gateway.
    #[serde(default)]
    has_waited: bool,
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
    /// Other payments come first.
    Wait {
        /// How long, s.
        seconds: u32,
        /// The index of the gateway to ask then.
        gateway: usize,
    },
    /// The shopper has to act first.
    RequiresAction {
        /// How long there is time for it, s; at least 1.
        seconds: u32,
        /// The index of the gateway.
        gateway: usize,
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
        Self {
            clock: parts.clock(),
            gateways: parts.gateways(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            reservations: parts.reservations(),
        }
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
        let order = saga::pending_order(&self.orders, &asked).await?;
        let gateways = self.gateways.that_take(&order);
        let (asked_for, key) = (gateways.get(task.gateway).copied(), asked.key());
        let admission = match asked_for {
            Some(gateway) => self.gateways.admit(gateway, task.has_waited).await?,
            None => Admission::Now,
        };
        if let Admission::At(turn) = admission {
            let (seconds, gateway) = (seconds_until(turn, self.clock.now()), task.gateway);
            return Ok(Charged::Wait { seconds, gateway });
        }
        let (attempt, is_new) = match asked_for {
            Some(gateway) => self.attempts.begin(&key, gateway.name()).await?,
            // No gateway has this index, possibly because it was removed from the configuration. The stored attempt
            // still counts.
            None => match self.attempts.get(&key).await? {
                Some(attempt) => (attempt, false),
                None => return Ok(Charged::Unavailable { next_gateway: None }),
            },
        };
        let run = Run { order: &order, gateways: &gateways, is_down: admission == Admission::Down };
        match (attempt.status, asked_for) {
            (AttemptStatus::Started, Some(gateway)) if is_new => self.charge(&run, attempt, gateway).await,
            (AttemptStatus::Started, _) => self.look_up(&run, attempt).await,
            (AttemptStatus::Unavailable, Some(gateway)) if run.comes_before(&attempt, task.gateway) => {
                let next = Attempt::started(key, gateway.name().clone());
                self.replace(&attempt, &next).await?;
                self.charge(&run, next, gateway).await
            }
            (AttemptStatus::Unavailable, _) => Ok(run.unavailable(&attempt)),
            (AttemptStatus::Authorised, _) => run.authorised(&attempt),
            // Kept: another run has completed the order.
            (AttemptStatus::Charged | AttemptStatus::Kept, _) => run.charged(&attempt),
            (AttemptStatus::Declined | AttemptStatus::GivenUp, _) => {
                Ok(Charged::Declined { reason: attempt.reason.unwrap_or_default() })
            }
            // Another run has decided to undo this attempt.
            (AttemptStatus::Refunding | AttemptStatus::Refunded | AttemptStatus::Voided, _) => Err(SagaError::OrderNotPending),
        }
    }
}

/// One run of the task.
struct Run<'r> {
    order: &'r Order,
    /// The gateways that take the order's token, in the order in which they are asked.
    gateways: &'r [&'r dyn PaymentGateway],
    /// The gateway that the task names is down: it is not asked for anything new.
    is_down: bool,
}

impl Run<'_> {
    fn index(&self, name: &GatewayName) -> Option<usize> {
        self.gateways.iter().position(|gateway| gateway.name() == name)
    }

    /// Whether `attempt` asked a gateway before `gateway`. Gateways are asked only in their order. A delayed run must
    /// not charge at an earlier gateway after the saga has moved on: the saga may have told the shopper that nothing
    /// was charged.
    fn comes_before(&self, attempt: &Attempt, gateway: usize) -> bool {
        self.index(&attempt.gateway).is_none_or(|index| index < gateway)
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
        let gateway = self.index(&attempt.gateway).unwrap_or(0);
        Ok((gateway, attempt.reference.clone().ok_or_else(|| changed(&attempt.key))?))
    }

    fn unavailable(&self, attempt: &Attempt) -> Charged {
        let index = self.index(&attempt.gateway).map(|index| index + 1);
        Charged::Unavailable { next_gateway: index.filter(|next| self.gateways.get(*next).is_some()) }
    }
}

impl ChargePayment {
    /// Looks up the outcome of a charge that an earlier run started.
    async fn look_up(&self, run: &Run<'_>, attempt: Attempt) -> Result<Charged, SagaError> {
        let Some(gateway) = self.gateways.named(&attempt.gateway) else {
            // The gateway was removed from the configuration while it was being asked. Only this gateway knows the
            // outcome.
            return Err(SagaError::PaymentOutcomeUnknown);
        };
        match gateway.look_up(&saga::payment(run.order, &attempt)?).await {
            // An earlier run may have asked, so only this gateway will do, and it is down.
            LookUp::NotFound | LookUp::Found(ChargeOutcome::Unavailable) if run.is_down => Err(SagaError::GatewayBusy),
            LookUp::NotFound | LookUp::Found(ChargeOutcome::Unavailable) => self.charge_again(run, attempt, gateway).await,
            LookUp::Found(outcome) => {
                // This look-up may be the one call by which all environments learn that the gateway is back.
                self.gateways.tell(gateway, &outcome).await;
                self.settle(run, attempt, gateway, outcome).await
            }
            // The breaker is not told: a gateway that answers has not decided on this payment yet, and may be up.
            LookUp::Unknown => Err(SagaError::PaymentOutcomeUnknown),
        }
    }

    /// Charges again, although the earlier run may still be asking. Once the item records a second run, a run that
    /// finds the gateway down no longer concludes that nothing was charged (ADR 9).
    async fn charge_again(&self, run: &Run<'_>, attempt: Attempt, gateway: &dyn PaymentGateway) -> Result<Charged, SagaError> {
        let again = Attempt { asked_again: true, ..attempt.clone() };
        if !attempt.asked_again {
            self.replace(&attempt, &again).await?;
        }
        self.charge(run, again, gateway).await
    }

    async fn charge(&self, run: &Run<'_>, attempt: Attempt, gateway: &dyn PaymentGateway) -> Result<Charged, SagaError> {
        if run.is_down {
            metrics::record("GatewayDown", 1.0, "Count");
            return self.record(run, attempt, ChargeOutcome::Unavailable).await;
        }
        let attempt = match gateway.open(&saga::payment(run.order, &attempt)?).await {
            OpenOutcome::ByKey => attempt,
            OpenOutcome::ById(id) if self.is_of_an_earlier_attempt(&attempt, &id).await? => {
                let reason = "This payment was used before. Start a new one.".to_owned();
                return self.record(run, attempt, ChargeOutcome::Declined { reason }).await;
            }
            OpenOutcome::ById(id) => self.identified(attempt, id).await?,
            OpenOutcome::Not(outcome) => {
                // A payment method may be refused without a call, so a refusal does not say that the gateway is up.
                if !matches!(outcome, ChargeOutcome::Declined { .. }) {
                    self.gateways.tell(gateway, &outcome).await;
                }
                return self.record(run, attempt, outcome).await;
            }
        };
        let outcome = gateway.charge(&saga::payment(run.order, &attempt)?).await;
        self.gateways.tell(gateway, &outcome).await;
        self.settle(run, attempt, gateway, outcome).await
    }

    /// Records the gateway's outcome. While there is time, a payment that needs its shopper waits for the shopper. Afterwards
    /// the function ends the payment at the gateway and records the gateway's answer.
    async fn settle(
        &self,
        run: &Run<'_>,
        attempt: Attempt,
        gateway: &dyn PaymentGateway,
        outcome: ChargeOutcome,
    ) -> Result<Charged, SagaError> {
        if attempt.waiting.is_some() && matches!(outcome, ChargeOutcome::Declined { .. }) {
            // The shopper can still act on this payment with another card, and must not once the order waits for another one.
            let ended = gateway.abandon(&saga::payment(run.order, &attempt)?).await;
            let outcome = if matches!(ended, ChargeOutcome::Declined { .. }) { outcome } else { ended };
            return self.record(run, attempt, outcome).await;
        }
        let ChargeOutcome::RequiresAction(action) = outcome else { return self.record(run, attempt, outcome).await };
        let now = self.clock.now();
        let (until, task_token) = match &attempt.waiting {
            Some(waiting) => (waiting.until, waiting.task_token.clone()),
            None => (self.time_to_act(run, now).await?, None),
        };
        if until <= now {
            let outcome = gateway.abandon(&saga::payment(run.order, &attempt)?).await;
            return self.record(run, attempt, outcome).await;
        }
        let waiting = Some(Waiting { action, until, task_token });
        if attempt.waiting != waiting {
            self.replace(&attempt, &Attempt { waiting, ..attempt.clone() }).await?;
        }
        let gateway = run.index(&attempt.gateway).unwrap_or(0);
        Ok(Charged::RequiresAction { seconds: seconds_until(until, now).max(1), gateway })
    }

    /// The end of the shopper's time to act: that of the hold, as after a failed payment.
    async fn time_to_act(&self, run: &Run<'_>, now: Timestamp) -> Result<Timestamp, SagaError> {
        let Order { shopper, .. } = run.order;
        let found = self.reservations.get(shopper, run.order.product()).await?;
        let reservation = found.filter(|found| found.id == run.order.id);
        Ok(reservation.map_or(now, |reservation| reservation.end_after_failed_payment(now)))
    }

    /// Whether an earlier attempt of the order has this payment at the provider, as an order that the shop's page made at PayPal.
    /// A payment belongs to one attempt, so every later event of the payment belongs to that attempt.
    ///
    /// An attempt that has the id already was compared when it got it, or was made for the late money of the earlier one.
    async fn is_of_an_earlier_attempt(&self, attempt: &Attempt, id: &str) -> Result<bool, SagaError> {
        if attempt.provider_id.as_deref() == Some(id) {
            return Ok(false);
        }
        for earlier in 1..attempt.key.attempt {
            let key = IdempotencyKey { attempt: earlier, ..attempt.key.clone() };
            let earlier = self.attempts.get(&key).await?;
            if earlier.is_some_and(|it| it.gateway == attempt.gateway && it.provider_id.as_deref() == Some(id)) {
                return Ok(true);
            }
        }
        Ok(false)
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
    async fn record(&self, run: &Run<'_>, attempt: Attempt, outcome: ChargeOutcome) -> Result<Charged, SagaError> {
        let after = match outcome {
            ChargeOutcome::Unknown | ChargeOutcome::Pending | ChargeOutcome::RequiresAction(_) => {
                return Err(SagaError::PaymentOutcomeUnknown);
            }
            ChargeOutcome::Busy => return Err(SagaError::GatewayBusy),
            // The gateway is down for this run, but may still charge for the other one.
            ChargeOutcome::Unavailable if attempt.asked_again => return Err(SagaError::PaymentOutcomeUnknown),
            ChargeOutcome::Unavailable => Attempt { status: AttemptStatus::Unavailable, ..attempt.clone() },
            ChargeOutcome::Declined { reason } => {
                Attempt { status: AttemptStatus::Declined, waiting: None, reason: Some(reason), ..attempt.clone() }
            }
            ChargeOutcome::Authorised { reference } => {
                Attempt { status: AttemptStatus::Authorised, waiting: None, reference: Some(reference), ..attempt.clone() }
            }
            ChargeOutcome::Charged { reference, confirmed } => Attempt {
                status: AttemptStatus::Charged,
                waiting: None,
                reference: Some(reference),
                confirmed: Some(confirmed),
                ..attempt.clone()
            },
        };
        self.replace(&attempt, &after).await?;
        match after.status {
            AttemptStatus::Authorised => run.authorised(&after),
            AttemptStatus::Charged | AttemptStatus::Kept => run.charged(&after),
            AttemptStatus::Declined | AttemptStatus::GivenUp => {
                Ok(Charged::Declined { reason: after.reason.unwrap_or_default() })
            }
            AttemptStatus::Unavailable => Ok(run.unavailable(&after)),
            AttemptStatus::Started | AttemptStatus::Refunding | AttemptStatus::Refunded | AttemptStatus::Voided => {
                Err(SagaError::OrderNotPending)
            }
        }
    }

    async fn replace(&self, before: &Attempt, after: &Attempt) -> Result<(), SagaError> {
        let is_written = self.attempts.replace(before, after).await?;
        if is_written { Ok(()) } else { Err(changed(&before.key)) }
    }
}

fn changed(key: &IdempotencyKey) -> SagaError {
    SagaError::changed(&format!("attempt {key}"))
}
