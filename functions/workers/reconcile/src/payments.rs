//! Orders whose payment has been in progress for too long: starts the saga again if it was never started or was cut
//! off. Orders whose payment has ended without a word to the shopper: tells the shopper.
//!
//! Every task of the saga may be repeated, and charges only after it has looked the charge up. So an execution that
//! repeats the steps of an earlier one has the same result.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::{AttemptStatus, Order, OrderStatus, SignedDuration, Timestamp};
use kit::{Failure, TaskFunction};
use messages::OrderMessage;
use notify_shopper::Notification;
use store::UnsettledOrder;

use crate::{Findings, Look, Reconcile, executions::Execution};

/// A payment takes seconds, and so does its notification. Younger payments and ends of payments are left alone.
pub(crate) const PAYMENT_SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The age of an attempt, in minutes, at which its saga is started for the second time, the third, and so on. The cause
/// that stops it may take hours to repair.
const RESTARTS_AFTER: [i64; OrderMessage::MAX_RESTARTS as usize] = [1, 4, 15, 60, 240];

/// The outcome for an order that was unsettled for too long.
enum Settled {
    /// Its saga is running or will be started later, or the payment has ended by now.
    Itself,
    /// Its saga was started.
    Started,
    /// Its payment has ended, and its shopper was told only now.
    Told,
    /// Its payment has ended, and its shopper cannot be told now.
    Untold,
    /// Its saga has been started as often as allowed.
    Stuck,
}

impl Reconcile {
    /// Settles every order of a sale whose payment should have ended. Returns whether there were any. Trouble with the
    /// notifications does not keep a payment from being finished: after the first one that fails, no other is tried in this
    /// run.
    pub(crate) async fn settle_payments(&self, look: &mut Look, found: &mut Findings) -> bool {
        let before = self.clock.now().checked_sub(PAYMENT_SETTLES_AFTER).unwrap_or(Timestamp::MIN);
        let mut after: Option<UnsettledOrder> = None;
        let may_tell = AtomicBool::new(true);
        while self.goes_on(look) {
            let page = self.orders.unsettled(&look.sale.product, before, after.as_ref()).await;
            let Some(page) = look.note(page) else { break };
            let last = page.orders.last().cloned();
            for settled in self
                .each(look, page.orders, |order| {
                    let may_tell = &may_tell;
                    async move { self.settle(&order, before, may_tell).await }
                })
                .await
            {
                match settled {
                    Settled::Itself | Settled::Untold => {}
                    Settled::Started => found.payments_started += 1,
                    Settled::Told => found.shoppers_told += 1,
                    Settled::Stuck => found.orders_stuck += 1,
                }
            }
            after = last.or(after);
            if !page.more {
                break;
            }
        }
        if !may_tell.into_inner() {
            found.failed.push(look.sale.product.clone());
        }
        after.is_some()
    }

    async fn settle(&self, unsettled: &UnsettledOrder, before: Timestamp, may_tell: &AtomicBool) -> Result<Settled, Failure> {
        // The index is eventually consistent: the order may have ended, or have a younger attempt.
        let Some(order) = self.orders.get(&unsettled.id).await?.filter(|order| order.updated_at <= before) else {
            return Ok(Settled::Itself);
        };
        match order.status {
            // Its last change was the start of its attempt.
            OrderStatus::Pending => {}
            OrderStatus::AwaitingPayment
            | OrderStatus::Completed
            | OrderStatus::Failed
            | OrderStatus::Expired
            | OrderStatus::Refunded => {
                return Ok(self.tell_if(may_tell, &order).await);
            }
        }
        // Its execution waits for the shopper. If it was cut off, it is started again when the shopper's time is over.
        let attempt = self.attempts.get(&order.key()).await?;
        let waiting = attempt.filter(|it| it.status == AttemptStatus::Started).and_then(|attempt| attempt.waiting);
        if waiting.is_some_and(|waiting| self.clock.now() < waiting.until) {
            return Ok(Settled::Itself);
        }
        let message = OrderMessage::of(&order);
        let names: Vec<String> = message.execution_names().collect();
        let mut cause = "never started".to_owned();
        // Looks at the last name first, so that a stuck order costs one call per minute instead of six.
        let last = match names.last() {
            Some(last) => self.executions.find(last).await?,
            None => Execution::Unknown,
        };
        match last {
            Execution::Running => return Ok(Settled::Itself),
            Execution::Ended(status) => status.as_str().clone_into(&mut cause),
            Execution::Unknown => {
                let waits = std::iter::once(0).chain(RESTARTS_AFTER);
                for (name, minutes) in names.into_iter().zip(waits) {
                    match self.executions.find(&name).await? {
                        Execution::Ended(status) => cause = format!("{name} {}", status.as_str()),
                        Execution::Unknown if self.is_older(&order, minutes) => {
                            return self.start(&order, &message, name, &cause).await;
                        }
                        Execution::Running | Execution::Unknown => return Ok(Settled::Itself),
                    }
                }
            }
        }
        // An execution that has just ended may have settled the order.
        if !self.is_still(&order).await? {
            return Ok(Settled::Itself);
        }
        tracing::error!(order = %order.id, attempt = order.attempt, cause, "a payment does not end, however often it is started");
        Ok(Settled::Stuck)
    }

    /// Tells the shopper how a payment ended, unless telling another one has failed.
    async fn tell_if(&self, may_tell: &AtomicBool, order: &Order) -> Settled {
        if !may_tell.load(Ordering::Relaxed) {
            return Settled::Untold;
        }
        match self.tell(order).await {
            Ok(true) => Settled::Told,
            Ok(false) => Settled::Itself,
            Err(failure) => {
                tracing::error!(order = %order.id, %failure, "a shopper could not be told");
                may_tell.store(false, Ordering::Relaxed);
                Settled::Untold
            }
        }
    }

    /// Tells the shopper how a payment ended, if no saga has. False: there is nothing to tell.
    pub(crate) async fn tell(&self, order: &Order) -> Result<bool, Failure> {
        let Some(notification) = Notification::owed(order, self.clock.now()) else { return Ok(false) };
        self.notices.handle(notification).await?;
        tracing::warn!(order = %order.id, attempt = order.attempt, notice = ?order.untold, "a shopper was told late");
        Ok(true)
    }

    /// Whether the order's attempt started at least this many minutes ago.
    fn is_older(&self, order: &Order, minutes: i64) -> bool {
        let due = order.updated_at.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX);
        due <= self.clock.now()
    }

    async fn start(&self, order: &Order, message: &OrderMessage, name: String, cause: &str) -> Result<Settled, Failure> {
        // All earlier executions have ended, so they change nothing any more.
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
