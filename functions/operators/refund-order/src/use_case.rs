//! The use case: record the refund in the order, ask the gateway, take the units back if the whole price is refunded, record
//! how the refund ended, tell the shopper of it.
//!
//! A run may die after any step. The same request, or `reconcile`, asks the gateway again with the same key: a gateway refunds
//! once for each key. No run asks for an amount that the order has not reserved.

use std::sync::Arc;

use domain::{
    Attempt, AttemptStatus, Clock, GatewayName, Notice, Order, OrderId, OrderStep, PartOutcome, RefundRefusal, RefundRequest,
    RefundStatus, Timestamp,
};
use kit::{Stopped, TaskFunction};
use notify_shopper::{Notification, NotifyError, NotifyShopper};
use parts::{FromParts, Parts};
use payments::{Gateways, Part};
use store::{Attempts, Orders, Purchases, Reservations, Stock, StoreError};

/// The most tries of one write. Other refunds of the same order may be written in between.
const TRIES_OF_A_REFUND: usize = 10;

/// Refunds completed orders.
pub struct OrderRefunds {
    clock: Arc<dyn Clock>,
    gateways: Gateways,
    orders: Orders,
    attempts: Attempts,
    reservations: Reservations,
    purchases: Purchases,
    stock: Stock,
    notices: NotifyShopper,
}

/// What became of an order's refunds.
#[derive(Debug)]
pub struct FinishedRefunds {
    /// Refunds that have ended.
    pub ended: usize,
    /// Whether the shopper was told of the confirmed refunds.
    pub told: Result<bool, NotifyError>,
}

/// Why nothing was refunded.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is no such order.
    #[error("unknown order")]
    UnknownOrder,
    /// The order does not allow this refund.
    #[error(transparent)]
    Refused(#[from] RefundRefusal),
    /// The request did not finish: other changes at the same time, or a failure of the store.
    #[error(transparent)]
    Stopped(#[from] Stopped<StoreError>),
}

impl From<StoreError> for RefundError {
    fn from(error: StoreError) -> Self {
        Self::Stopped(error.into())
    }
}

impl FromParts for OrderRefunds {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            gateways: parts.gateways(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            reservations: parts.reservations(),
            purchases: parts.purchases(),
            stock: parts.stock(),
            notices: NotifyShopper::from_parts(parts),
        }
    }
}

impl OrderRefunds {
    /// Makes the refund that `asked` describes, once for each key. Returns the order, and the place of the refund in it, which is
    /// pending while the gateway's answer is not known. The shopper is told of a confirmed one, now or by `reconcile`.
    ///
    /// # Errors
    /// Every [`RefundError`]. After a failure of the store, the same request continues where this one stopped.
    pub async fn refund(&self, id: &OrderId, asked: &RefundRequest) -> Result<(Order, usize), RefundError> {
        let (order, place) = self.make(id, asked).await?;
        if let Err(error) = self.tell(&order).await {
            tracing::warn!(order = %order.id, cause = kit::chain(&error), "a shopper was not told of a refund");
        }
        Ok((order, place))
    }

    async fn make(&self, id: &OrderId, asked: &RefundRequest) -> Result<(Order, usize), RefundError> {
        for _ in 0..TRIES_OF_A_REFUND {
            let order = self.orders.get(id).await?.ok_or(RefundError::UnknownOrder)?;
            if let Some(place) = order.refund_of(asked)? {
                return Ok((self.finish(order, place).await?, place));
            }
            let now = self.clock.now();
            let refund = order.new_refund(asked, now)?;
            // Without a captured payment, no refund could ever end.
            let attempt = self.kept(&order).await?.ok_or(RefundRefusal::NotCompleted)?;
            if let Some(begun) = self.orders.begin_refund(&order, &refund, now).await? {
                let place = begun.refunds.all.len().saturating_sub(1);
                return Ok((self.ask(begun, place, &attempt).await?, place));
            }
        }
        Err(Stopped::Overtaken.into())
    }

    /// Asks the gateway again for the pending refunds of an order, one after another until `until`, and tells the shopper who has
    /// still to be told of confirmed ones.
    ///
    /// # Errors
    /// When the store does not answer, or other refunds of the order are written all the time.
    pub async fn finish_all(&self, order: Order, until: Timestamp) -> Result<FinishedRefunds, RefundError> {
        let pending: Vec<usize> = order.refunds.pending().collect();
        let (mut order, mut ended) = (order, 0);
        for place in pending {
            if until <= self.clock.now() {
                break;
            }
            order = self.finish(order, place).await?;
            ended += usize::from(!is_pending(&order, place));
        }
        Ok(FinishedRefunds { ended, told: self.tell(&order).await })
    }

    /// Tells the shopper of confirmed refunds. False: there is nothing to tell.
    async fn tell(&self, order: &Order) -> Result<bool, NotifyError> {
        let owed = Notification::owed(order, self.clock.now()).filter(|_| order.untold == Some(Notice::OrderRefunded));
        let Some(notification) = owed else { return Ok(false) };
        self.notices.handle(notification).await?;
        Ok(true)
    }

    /// Finishes the refund at `place`, if it is pending. Returns the order after it.
    async fn finish(&self, order: Order, place: usize) -> Result<Order, RefundError> {
        if !is_pending(&order, place) {
            return Ok(order);
        }
        let Some(attempt) = self.kept(&order).await? else {
            tracing::error!(order = %order.id, "an order with a pending refund has no captured payment");
            return Ok(order);
        };
        self.ask(order, place, &attempt).await
    }

    /// The payment that completed the order.
    async fn kept(&self, order: &Order) -> Result<Option<Attempt>, StoreError> {
        Ok(self.attempts.get(&order.key()).await?.filter(|attempt| attempt.status == AttemptStatus::Kept))
    }

    /// Asks the gateway for the pending refund at `place`, and records how it ended.
    async fn ask(&self, order: Order, place: usize, attempt: &Attempt) -> Result<Order, RefundError> {
        match self.ask_gateway(&order, place, attempt).await {
            PartOutcome::Unknown => Ok(order),
            PartOutcome::Refunded => self.end(order, place, None).await,
            PartOutcome::Refused { reason } => {
                tracing::warn!(order = %order.id, refund = place, reason, "the gateway refuses a refund");
                self.end(order, place, Some(&reason)).await
            }
        }
    }

    async fn ask_gateway(&self, order: &Order, place: usize, attempt: &Attempt) -> PartOutcome {
        let GatewayName(name) = &attempt.gateway;
        let (Some(gateway), Ok(payment), Some(refund)) =
            (self.gateways.named(&attempt.gateway), saga::payment(order, attempt), order.refunds.all.get(place))
        else {
            tracing::error!(order = %order.id, gateway = name, "the gateway that captured the payment is not configured any more");
            return PartOutcome::Unknown;
        };
        let part = Part { number: u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1), amount: refund.amount };
        gateway.refund_part(&payment, &part).await
    }

    /// Records that the gateway has refunded the amount, or why it refuses to. This never changes again, whatever other refunds are
    /// written in between.
    async fn end(&self, order: Order, place: usize, refusal: Option<&str>) -> Result<Order, RefundError> {
        let mut order = order;
        for _ in 0..TRIES_OF_A_REFUND {
            if !is_pending(&order, place) {
                return Ok(order);
            }
            let now = self.clock.now();
            let step = if refusal.is_some() { OrderStep::RefundRefused } else { order.step_after_refund(place) };
            let step = if step == OrderStep::PurchaseReturned { self.take_back(&order).await? } else { step };
            if step == OrderStep::PurchaseReturned {
                self.purchases.return_purchase(&order, place, now).await?;
            } else if let Some(after) = self.orders.end_refund(&order, place, step, refusal, now).await? {
                return Ok(after);
            }
            order = self.orders.get(&order.id).await?.ok_or(RefundError::UnknownOrder)?;
        }
        Err(Stopped::Overtaken.into())
    }

    /// Moves the sold units of a wholly refunded order back to available. All of its refunds have ended, so no other one can be
    /// requested. Returns the step that the order takes.
    async fn take_back(&self, order: &Order) -> Result<OrderStep, StoreError> {
        let found = self.reservations.get(&order.shopper, order.product()).await?;
        let Some(reservation) = found.filter(|found| found.id == order.id) else {
            // Another run has returned the purchase, or the reservation is lost: then nothing says which shard has the units.
            tracing::warn!(order = %order.id, "the units of a refunded order cannot be found by its reservation");
            return Ok(OrderStep::PriceRefunded);
        };
        self.stock.take_back(reservation.shard, &order.shopper, &order.id).await?;
        Ok(OrderStep::PurchaseReturned)
    }
}

fn is_pending(order: &Order, place: usize) -> bool {
    order.refunds.all.get(place).is_some_and(|refund| refund.status == RefundStatus::Pending)
}
