//! Orders whose payment is under way for too long: the saga that was never started, or was cut off, is started again.
//!
//! Every task of the saga may be repeated, and charges only after it has looked the charge up, so an execution that goes
//! over what an earlier one did comes to the same end.

use domain::{Order, OrderStatus, SignedDuration, Timestamp};
use kit::Failure;
use messages::OrderMessage;
use store::Unsettled;

use crate::{Findings, Look, Reconcile, executions::Execution};

/// A payment takes seconds. Younger ones are left alone.
const SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// What became of an order that was unsettled for long.
enum Settled {
    /// Its saga is running, or it has ended by now.
    Itself,
    /// Its saga was started.
    Started,
    /// Its saga has been started as often as it may be.
    Stuck,
}

impl Reconcile {
    /// Looks after every order of a sale whose payment should have ended. Whether there were any.
    pub(crate) async fn settle_payments(&self, look: &mut Look, found: &mut Findings) -> bool {
        let before = self.clock.now().checked_sub(SETTLES_AFTER).unwrap_or(Timestamp::MIN);
        let mut after: Option<Unsettled> = None;
        while self.goes_on(look) {
            let page = self.orders.unsettled(&look.sale.product, before, after.as_ref()).await;
            let Some(page) = look.note(page) else { break };
            let last = page.orders.last().cloned();
            for settled in self.each(look, page.orders, |order| async move { self.settle(&order, before).await }).await {
                match settled {
                    Settled::Itself => {}
                    Settled::Started => found.payments_started += 1,
                    Settled::Stuck => found.orders_stuck += 1,
                }
            }
            after = last.or(after);
            if !page.more {
                break;
            }
        }
        after.is_some()
    }

    async fn settle(&self, unsettled: &Unsettled, before: Timestamp) -> Result<Settled, Failure> {
        let Some(order) = self.orders.get(&unsettled.id).await?.filter(|order| is_unsettled(order, before)) else {
            return Ok(Settled::Itself);
        };
        let message = OrderMessage::of(&order);
        let mut cause = "never started".to_owned();
        for name in message.execution_names() {
            match self.executions.find(&name).await? {
                Execution::Running => return Ok(Settled::Itself),
                Execution::Ended(status) => cause = format!("{name} {}", status.as_str()),
                Execution::Unknown => return self.start(&order, &message, name, &cause).await,
            }
        }
        // An execution that has ended just now may have settled it.
        if !self.is_still(&order).await? {
            return Ok(Settled::Itself);
        }
        tracing::error!(order = %order.id, attempt = order.attempt, cause, "a payment does not end, however often it is started");
        Ok(Settled::Stuck)
    }

    async fn start(&self, order: &Order, message: &OrderMessage, name: String, cause: &str) -> Result<Settled, Failure> {
        // Whatever the executions before this one did is done: they have ended.
        if !self.is_still(order).await? || !self.executions.start(message, name.clone()).await? {
            return Ok(Settled::Itself);
        }
        tracing::warn!(order = %order.id, attempt = order.attempt, execution = name, cause, "a payment was started");
        Ok(Settled::Started)
    }

    /// Whether the order is still pending with the same attempt.
    async fn is_still(&self, order: &Order) -> Result<bool, Failure> {
        let now = self.orders.get(&order.id).await?;
        Ok(now.is_some_and(|now| now.status == OrderStatus::Pending && now.attempt == order.attempt))
    }
}

/// The index is late: the order may have ended, or be in a younger attempt. A pending order has changed last when its attempt
/// started.
fn is_unsettled(order: &Order, before: Timestamp) -> bool {
    order.status == OrderStatus::Pending && order.updated_at <= before
}
