//! Payment events queue: wakes the saga of a payment that has changed at its provider. Money that comes after its attempt has
//! ended buys units again, or goes back.
//!
//! An event says only where to look. The function asks the provider what is true, so events that are doubled, late, out of order
//! or forged change nothing wrong. An event that never comes delays a payment until the end of its shopper's time at most.

mod late;

use std::sync::Arc;

use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use domain::{Attempt, AttemptStatus, ChargeOutcome, Clock, GatewayName, IdempotencyKey, LateMoney, Order, OrderId, ShopperId};
use kit::{Failure, QueueFunction};
use messages::{OrdersQueue, PaymentEvent};
use parts::{FromParts, Parts, StateMachine};
use payments::{About, Found, Gateways, LookUp, PaymentGateway};
use reserve::UnitReservations;
use store::{Attempts, Orders, Purchases, Reservations, Stock};

/// The Lambda handler and its dependencies.
pub struct SettlePayment {
    clock: Arc<dyn Clock>,
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
    reservations: Reservations,
    purchases: Purchases,
    stock: Stock,
    units: UnitReservations,
    queue: OrdersQueue,
    saga: StateMachine,
}

impl FromParts for SettlePayment {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            gateways: parts.gateways(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            reservations: parts.reservations(),
            purchases: parts.purchases(),
            stock: parts.stock(),
            units: UnitReservations::from_parts(parts),
            queue: parts.orders_queue(),
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
                let attempt = self.of_its_money(attempt).await?;
                self.settle(&order, &attempt, gateway).await?;
            }
        }
        Ok(())
    }

    /// The attempt that the provider's payment belongs to now: another one, if the payment came late and claimed units again.
    async fn of_its_money(&self, mut attempt: Attempt) -> Result<Attempt, Failure> {
        while let Some(LateMoney::PaysBy(number)) = attempt.late_money {
            let key = IdempotencyKey { attempt: number, ..attempt.key.clone() };
            let next = self.attempts.get(&key).await?.filter(|next| next.key.attempt > attempt.key.attempt);
            attempt = next.ok_or_else(|| Failure::new(format!("the attempt {key} that a late payment is for is not there")))?;
        }
        Ok(attempt)
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
                self.late(order, attempt, gateway).await
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
}
