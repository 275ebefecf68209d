//! Orders whose refund no gateway has confirmed. Every run counts them, so that the alarm stays on until each has ended, and tells
//! a shopper whom no saga has told. Refunds that operators requested and no gateway has confirmed: asks for them again. Confirmed
//! ones of which no request has told the shopper: tells the shopper.

use domain::{Order, OrderId, PaymentStatus, Timestamp};
use futures_util::future::join_all;
use kit::Failure;
use refund_order::FinishedRefunds;
use store::UnsettledOrder;

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

    /// Counts the orders with operators' refunds that are pending, asks the gateways for those that are due, for one order after
    /// another's pause, and tells shoppers who were not told of a confirmed one. A pause grows with the age of its refund. The next
    /// one is written first, so that a run that dies asks no sooner again. Gateways that do not answer take half of the time until
    /// `until` at most, because the rest is for the sales.
    pub(crate) async fn finish_refunds(&self, found: &mut Findings, until: Timestamp) {
        let (listed, orders, unreadable) = match self.orders_with_refunds().await {
            Ok(orders) => orders,
            Err(failure) => {
                tracing::error!(%failure, "the refunds that operators requested could not be read");
                found.refunds_unknown = true;
                return;
            }
        };
        let pending = orders.iter().filter(|order| order.refunds.pending().next().is_some()).count();
        found.operator_refunds_pending = pending + unreadable;
        let now = self.clock.now();
        let until = now.checked_add(until.duration_since(now) / 2).unwrap_or(until);
        let is_due = |order: &&Order| listed.iter().any(|listed| listed.id == order.id && listed.since <= now);
        let asked = orders.iter().filter(is_due).take(AT_ONCE);
        for (order, outcome) in
            join_all(asked.map(|order| async move { (order, self.finish_refunds_of(order, until).await) })).await
        {
            match outcome {
                Ok(None) => {}
                Ok(Some((0, false))) => tracing::warn!(order = %order.id, "a refund that an operator requested is still pending"),
                Ok(Some((ended, told))) => {
                    found.refunds_finished += ended;
                    found.shoppers_told += usize::from(told);
                }
                Err(failure) => {
                    tracing::error!(order = %order.id, %failure, "the refunds of an order could not be finished");
                    found.failed.push(order.product().clone());
                }
            }
        }
    }

    /// Returns how many refunds have ended, and whether the shopper was told. `None`: nothing is left to do.
    async fn finish_refunds_of(&self, order: &Order, until: Timestamp) -> Result<Option<(usize, bool)>, Failure> {
        // The index follows its table within moments, and another request may have finished them.
        if !self.orders.postpone_refunds(order, self.clock.now()).await? {
            return Ok(None);
        }
        let finished = self.order_refunds.finish_all(order.clone(), until).await;
        let FinishedRefunds { ended, told } = finished.map_err(|error| Failure::new(kit::chain(&error)))?;
        Ok(Some((ended, told.map_err(|error| Failure::new(kit::chain(&error)))?)))
    }

    /// Returns a page of the index of due refunds, the orders in it, and the number of unreadable ones. An unreadable order
    /// counts as unfinished.
    async fn orders_with_refunds(&self) -> Result<(Vec<UnsettledOrder>, Vec<Order>, usize), Failure> {
        let listed = self.orders.refunds_due(None).await?.orders;
        let ids: Vec<OrderId> = listed.iter().map(|order| order.id.clone()).collect();
        let (mut orders, unreadable) = kit::readable("order", self.orders.get_all(&ids).await?);
        orders.sort_by_key(|order| ids.iter().position(|id| *id == order.id));
        Ok((listed, orders, unreadable))
    }

    /// The orders in the index: their refund is pending, or was a moment ago, or its shopper was not told that it is confirmed. And
    /// the number of orders in the index that cannot be read.
    async fn orders_to_refund(&self) -> Result<(Vec<Order>, usize), Failure> {
        let (mut found, mut unreadable, mut after): (Vec<Order>, usize, Option<UnsettledOrder>) = (Vec::new(), 0, None);
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
