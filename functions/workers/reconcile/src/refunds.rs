//! Orders whose refund no gateway has confirmed. Every run counts them, so that the alarm stays on until each has ended, and tells
//! a shopper whom no saga has told. Refunds that operators requested and no gateway has confirmed: asks for them again.

use domain::{Order, OrderId, PaymentStatus, Timestamp};
use futures_util::future::join_all;
use kit::Failure;
use store::Unsettled;

use crate::{AT_ONCE, Findings, Reconcile, payments::PAYMENT_SETTLES_AFTER};

/// Pages of a hundred orders that one run reads. More refunds than that are as alarming.
const MOST_PAGES_OF_REFUNDS: usize = 10;

impl Reconcile {
    /// Counts these orders and tells their shoppers. A failure is logged, and the run goes on. An order that cannot be read counts:
    /// it is in the index, and nothing says that its refund is confirmed.
    pub(crate) async fn look_at_refunds(&self, found: &mut Findings) {
        let (orders, unreadable) = match self.orders_to_refund().await {
            Ok(orders) => orders,
            Err(failure) => {
                tracing::error!(%failure, "the orders whose refund is pending could not be counted");
                found.refunds_unknown = true;
                return;
            }
        };
        let pending = orders.iter().filter(|order| order.payment_status == PaymentStatus::RefundPending).count();
        found.refunds_pending = pending + unreadable;
        let before = self.clock.now().checked_sub(PAYMENT_SETTLES_AFTER).unwrap_or(Timestamp::MIN);
        for order in orders.iter().filter(|order| order.updated_at <= before) {
            match self.tell(order).await {
                Ok(is_told) => found.shoppers_told += usize::from(is_told),
                Err(failure) => {
                    tracing::error!(order = %order.id, %failure, "a shopper could not be told about a refund");
                    found.failed.push(order.product().clone());
                    // The others would fail, too, and the time is for the sales.
                    return;
                }
            }
        }
    }

    /// Counts the orders with operators' refunds that are pending, and asks the gateways for those that are due, for one order after
    /// another's pause. A pause grows with the age of its refund. The next one is written first, so that a run that dies asks no
    /// sooner again.
    pub(crate) async fn finish_refunds(&self, found: &mut Findings) {
        let pending = match self.orders.refunds_due(Timestamp::MAX).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!(cause = kit::chain(&error), "the refunds that operators requested could not be read");
                found.refunds_unknown = true;
                return;
            }
        };
        found.operator_refunds_pending = pending.len();
        let now = self.clock.now();
        let due = pending.iter().filter(|order| order.since <= now).take(AT_ONCE);
        let asked = due.map(|order| async { (&order.id, self.finish_refunds_of(&order.id).await) });
        for (id, outcome) in join_all(asked).await {
            match outcome {
                Ok(0) => tracing::warn!(order = %id, "a refund that an operator requested is still pending"),
                Ok(ended) => found.refunds_finished += ended,
                Err(failure) => {
                    tracing::error!(order = %id, %failure, "the refunds of an order could not be finished");
                    found.failed.push(id.product().clone());
                }
            }
        }
    }

    async fn finish_refunds_of(&self, id: &OrderId) -> Result<usize, Failure> {
        // The index follows its table within moments, and another request may have finished them.
        let Some(order) = self.orders.get(id).await? else { return Ok(0) };
        if order.refunds.pending().next().is_none() || !self.orders.postpone_refunds(&order, self.clock.now()).await? {
            return Ok(0);
        }
        self.order_refunds.finish_all(order).await.map_err(|error| Failure::new(kit::chain(&error)))
    }

    /// The orders in the index: their refund is pending, or was a moment ago, or its shopper was not told that it is confirmed. And
    /// the number of orders in the index that cannot be read.
    async fn orders_to_refund(&self) -> Result<(Vec<Order>, usize), Failure> {
        let (mut found, mut unreadable, mut after): (Vec<Order>, usize, Option<Unsettled>) = (Vec::new(), 0, None);
        for _ in 0..MOST_PAGES_OF_REFUNDS {
            let page = self.orders.refunds_pending(Timestamp::MIN, after.as_ref()).await?;
            let ids: Vec<OrderId> = page.orders.iter().map(|order| order.id.clone()).collect();
            let all = self.orders.get_all(&ids).await?;
            let (orders, others) = kit::readable("order", all);
            found.extend(orders);
            unreadable += others;
            after = page.orders.last().cloned();
            if !page.more {
                break;
            }
        }
        Ok((found, unreadable))
    }
}
