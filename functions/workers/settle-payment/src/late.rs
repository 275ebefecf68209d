//! Money that came after its attempt had ended without any. If the hold has ended, too, and the sale has enough units left, the
//! order is paid after all: its units are claimed again, and the saga sells them and captures. Otherwise the money goes back.
//!
//! The attempt's item takes one of these two decisions before units are sold or a gateway is asked for a refund. A run may die after
//! any step: the event comes again, and another run continues.

use domain::{Attempt, AttemptStatus, ChargeOutcome, IdempotencyKey, LateMoney, Order, OrderStatus, RefundOutcome};
use kit::{Failure, metrics};
use messages::OrderMessage;
use payments::{LookUp, PaymentGateway};
use reserve::ClaimedAgain;
use store::{EndOutcome, Ending};

use crate::SettlePayment;

impl SettlePayment {
    /// Looks whether an ended attempt has money, and decides what it is for.
    pub(crate) async fn late(&self, order: &Order, attempt: &Attempt, gateway: &dyn PaymentGateway) -> Result<(), Failure> {
        match gateway.look_up(&saga::payment(order, attempt)?).await {
            LookUp::Found(ChargeOutcome::Authorised { .. } | ChargeOutcome::Charged { .. }) => {}
            LookUp::Unknown => return Err(Failure::new(format!("{} did not say how {} stands", attempt.gateway, attempt.key))),
            LookUp::Found(_) | LookUp::NotFound => return Ok(()),
        }
        match attempt.late_money {
            // A run that decided so was cut off, or the gateway has not confirmed it.
            Some(LateMoney::GoesBack) => return self.give_back(order, attempt, gateway).await,
            // That attempt was looked at in place of this one.
            Some(LateMoney::PaysBy(_)) => return Ok(()),
            None => {}
        }
        if self.is_of_another_attempt(order, attempt).await? {
            return Ok(());
        }
        let order = self.with_its_hold_ended(order).await?;
        if order.may_be_paid_late() && self.claims(&order, attempt).await? {
            return Ok(());
        }
        if !self.purchases.return_late_money(&order, attempt, self.clock.now()).await? {
            // Another run has decided, or the saga has changed the attempt. The event comes again, and this function looks again.
            return Err(Failure::new(format!("{} was changed at the same time", attempt.key)));
        }
        self.give_back(&order, attempt, gateway).await
    }

    /// The order as it is now. If it waits for a payment and its time is over, this ends its hold, as a message is about to do.
    async fn with_its_hold_ended(&self, read: &Order) -> Result<Order, Failure> {
        let now = self.clock.now();
        if read.status == OrderStatus::AwaitingPayment && read.is_overdue(now) {
            let first = self.reservations.get(&read.shopper, read.product()).await?.filter(|first| first.id == read.id);
            match self.reservations.end(&read.shopper, &read.id, Ending::Overdue(now)).await? {
                EndOutcome::Ended | EndOutcome::Gone => {
                    self.orders.expire(&read.id, Some(read.pay_by), now).await?;
                    // `release-stock` would do this, too. The same units may be claimed again now.
                    if let Some(first) = first {
                        self.stock.release_ended(first.shard, &first.shopper, &first.id, first.expires_at).await?;
                    }
                }
                // The shopper has started another payment.
                EndOutcome::Kept(_) => {}
            }
        }
        let order = self.orders.get(&read.id).await?;
        order.ok_or_else(|| Failure::new(format!("the order {} is gone", read.id)))
    }

    /// Claims units again for an order that has expired, and has its saga sell them for the late money of its attempt `ended`. False:
    /// there are no units for it.
    async fn claims(&self, order: &Order, ended: &Attempt) -> Result<bool, Failure> {
        let claimed = match self.units.claim_again(order).await? {
            ClaimedAgain::Held(claimed) => claimed,
            ClaimedAgain::NoUnits => return Ok(false),
            ClaimedAgain::NotNow => return Err(Failure::new(format!("no units could be claimed for {} yet", order.id))),
        };
        let now = self.clock.now();
        if !self.purchases.start_late(order, &claimed, ended, now).await? {
            self.units.release_claim(&claimed).await?;
            // Another run may have done the same, or this one without an answer.
            let after = self.attempts.get(&ended.key).await?.and_then(|attempt| attempt.late_money);
            return Ok(after.is_some_and(|late| matches!(late, LateMoney::PaysBy(_))));
        }
        tracing::warn!(key = %ended.key, gateway = %ended.gateway, attempt = order.attempt + 1, "late money pays for units that are claimed again");
        metrics::record("LateMoneyClaimed", 1.0, "Count");
        // If the message is lost, `reconcile` starts the saga after a minute.
        let message = OrderMessage { attempt: order.attempt + 1, ..OrderMessage::of(order) };
        self.queue.send(&message).await?;
        Ok(true)
    }

    /// Whether the provider's payment belongs to another attempt, too, which needs its money: a second line behind the decision in
    /// the attempt's item. A version that did not know such decisions let several attempts use one order that the shop's page made
    /// at PayPal.
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

    /// Gives money back that nothing was sold for, and nothing will be.
    async fn give_back(&self, order: &Order, attempt: &Attempt, gateway: &dyn PaymentGateway) -> Result<(), Failure> {
        tracing::error!(key = %attempt.key, gateway = %attempt.gateway, status = ?attempt.status, "late money is given back");
        metrics::record("LateMoney", 1.0, "Count");
        match gateway.refund(&saga::payment(order, attempt)?).await {
            RefundOutcome::Refunded | RefundOutcome::Voided => Ok(()),
            RefundOutcome::Unknown => Err(Failure::new(format!("the late money of {} has not gone back yet", attempt.key))),
        }
    }
}
