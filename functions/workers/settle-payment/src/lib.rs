//! Payment events queue: wakes the saga of a payment that has changed at its provider, and gives late money back.
//!
//! An event says only where to look. The function asks the provider what is true, so events that are doubled, late, out of order
//! or forged change nothing wrong. An event that never comes delays a payment until the end of its shopper's time at most.

use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use domain::{Attempt, AttemptStatus, ChargeOutcome, GatewayName, IdempotencyKey, Order, OrderId, RefundOutcome, ShopperId};
use kit::{Failure, QueueFunction, metrics};
use messages::PaymentEvent;
use parts::{FromParts, Parts, StateMachine};
use payments::{About, Found, Gateways, LookUp, PaymentGateway};
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct SettlePayment {
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
    saga: StateMachine,
}

impl FromParts for SettlePayment {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            gateways: parts.gateways(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            saga: parts.patient_payment_saga(),
        }
    }
}

impl QueueFunction for SettlePayment {
    type Message = PaymentEvent;

    /// Looks at the payment that an event is about.
    ///
    /// # Errors
    /// When the store, the provider or Step Functions does not answer: SQS delivers the message again.
    async fn handle(&self, event: PaymentEvent) -> Result<(), Failure> {
        match event {
            PaymentEvent::ProviderTold { account, kind, object_id: Some(object), .. } => {
                self.told(&account, &kind, &object).await
            }
            // Such an event is about the account, not about a payment.
            PaymentEvent::ProviderTold { object_id: None, .. } => Ok(()),
            PaymentEvent::ShopperReturned { order_id, shopper, attempt } => self.returned(order_id, &shopper, attempt).await,
        }
    }
}

impl SettlePayment {
    async fn told(&self, account: &GatewayName, kind: &str, object: &str) -> Result<(), Failure> {
        let Some(gateway) = self.gateways.named(account) else {
            tracing::warn!(account = %account, kind, object, "an event of an account that is not configured any more");
            return Ok(());
        };
        let About { order, attempt } = match gateway.payment_of(kind, object).await {
            Found::Payment(about) => about,
            Found::Nothing => return Ok(()),
            Found::Unknown => return Err(Failure::new(format!("{account} did not say what {object} is"))),
        };
        let Some(order) = self.orders.get(&order).await? else {
            tracing::warn!(account = %account, kind, object, order = %order, "an event of an order that is not there");
            return Ok(());
        };
        // The object says which attempt it belongs to, or only which order. Then each attempt at this account is looked at.
        let attempts = attempt.map_or(1..=order.attempt, |attempt| attempt..=attempt);
        for attempt in attempts {
            let key = IdempotencyKey { attempt, order: order.id.clone() };
            if let Some(attempt) = self.attempts.get(&key).await?.filter(|attempt| attempt.gateway == *account) {
                self.settle(&order, &attempt, gateway).await?;
            }
        }
        Ok(())
    }

    async fn returned(&self, order: OrderId, shopper: &ShopperId, attempt: u32) -> Result<(), Failure> {
        let found = self.orders.get(&order).await?.filter(|order| order.shopper == *shopper);
        let attempt = self.attempts.get(&IdempotencyKey { order, attempt }).await?;
        let (Some(order), Some(attempt)) = (found, attempt) else { return Ok(()) };
        // A shopper who comes back may wake the saga. What the shopper says takes no money back.
        match (self.gateways.named(&attempt.gateway), attempt.status) {
            (Some(gateway), AttemptStatus::Started) => self.settle(&order, &attempt, gateway).await,
            (Some(_) | None, _) => Ok(()),
        }
    }

    async fn settle(&self, order: &Order, attempt: &Attempt, gateway: &dyn PaymentGateway) -> Result<(), Failure> {
        match attempt.status {
            AttemptStatus::Started => match attempt.waiting.as_ref().and_then(|waiting| waiting.task_token.as_deref()) {
                Some(token) => self.wake(order, attempt, gateway, token).await,
                // The saga has not begun to wait: it reads the payment itself.
                None => Ok(()),
            },
            AttemptStatus::Declined | AttemptStatus::Unavailable | AttemptStatus::GivenUp | AttemptStatus::Voided => {
                self.give_back(order, attempt, gateway).await
            }
            // The saga is at work, the money is kept, or it goes back.
            AttemptStatus::Authorised
            | AttemptStatus::Charged
            | AttemptStatus::Kept
            | AttemptStatus::Refunding
            | AttemptStatus::Refunded => Ok(()),
        }
    }

    /// Sends the token of a waiting execution back, if the payment waits for its shopper no longer. The execution then asks the
    /// provider itself.
    async fn wake(&self, order: &Order, attempt: &Attempt, gateway: &dyn PaymentGateway, token: &str) -> Result<(), Failure> {
        match gateway.look_up(&saga::payment(order, attempt)?).await {
            LookUp::Found(ChargeOutcome::RequiresAction(_)) => return Ok(()),
            LookUp::Unknown => return Err(Failure::new(format!("{} did not say how {} stands", attempt.gateway, attempt.key))),
            LookUp::Found(_) | LookUp::NotFound => {}
        }
        match self.saga.client.send_task_success().task_token(token).output("{}").send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // The execution waits no longer: the time is over, or it was woken before.
                Some(SendTaskSuccessError::TaskDoesNotExist(_) | SendTaskSuccessError::TaskTimedOut(_)) => Ok(()),
                Some(_) | None => Err(error.into()),
            },
        }
    }

    /// Whether the provider's payment belongs to another attempt, too, which needs its money. Several attempts may use one order
    /// that the shop's page made at PayPal.
    async fn is_of_another_attempt(&self, order: &Order, ended: &Attempt) -> Result<bool, Failure> {
        for attempt in (1..=order.attempt).filter(|attempt| *attempt != ended.key.attempt) {
            let other = self.attempts.get(&IdempotencyKey { order: order.id.clone(), attempt }).await?;
            let is_open = other.as_ref().is_some_and(|other| match other.status {
                AttemptStatus::Started
                | AttemptStatus::Authorised
                | AttemptStatus::Charged
                | AttemptStatus::Kept
                | AttemptStatus::Refunding => true,
                AttemptStatus::Declined
                | AttemptStatus::Unavailable
                | AttemptStatus::GivenUp
                | AttemptStatus::Refunded
                | AttemptStatus::Voided => false,
            });
            if is_open && other.is_some_and(|other| other.gateway == ended.gateway && other.provider_id == ended.provider_id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives money back that arrived after its attempt had ended without any: nothing was sold for it.
    async fn give_back(&self, order: &Order, attempt: &Attempt, gateway: &dyn PaymentGateway) -> Result<(), Failure> {
        let payment = saga::payment(order, attempt)?;
        match gateway.look_up(&payment).await {
            LookUp::Found(ChargeOutcome::Authorised { .. } | ChargeOutcome::Charged { .. }) => {}
            LookUp::Unknown => return Err(Failure::new(format!("{} did not say how {} stands", attempt.gateway, attempt.key))),
            LookUp::Found(_) | LookUp::NotFound => return Ok(()),
        }
        if self.is_of_another_attempt(order, attempt).await? {
            return Ok(());
        }
        tracing::error!(key = %attempt.key, gateway = %attempt.gateway, status = ?attempt.status, "late money is given back");
        metrics::record("LateMoney", 1.0, "Count");
        match gateway.refund(&payment).await {
            RefundOutcome::Refunded | RefundOutcome::Voided => Ok(()),
            RefundOutcome::Unknown => Err(Failure::new(format!("the late money of {} has not gone back yet", attempt.key))),
        }
    }
}
