//! Orders whose refund no gateway has confirmed. Every run counts them, so that the alarm stays on until each has ended, and tells
//! a shopper whom no saga has told.

use domain::{Order, OrderId, PaymentStatus, Timestamp};
use kit::Failure;
use store::Unsettled;

use crate::{Findings, Reconcile, payments::PAYMENT_SETTLES_AFTER};

/// Pages of a hundred orders that one run reads. More refunds than that are as alarming.
const MOST_PAGES_OF_REFUNDS: usize = 10;

impl Reconcile {
    /// Counts these orders and tells their shoppers. A failure is logged, and the run goes on.
    pub(crate) async fn look_at_refunds(&self, found: &mut Findings) {
        let orders = match self.orders_to_refund().await {
            Ok(orders) => orders,
            Err(failure) => {
                tracing::error!(%failure, "the orders whose refund is pending could not be counted");
                found.refunds_unknown = true;
                return;
            }
        };
        found.refunds_pending = orders.iter().filter(|order| order.payment_status == PaymentStatus::RefundPending).count();
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

    /// The orders in the index: their refund is pending, or was a moment ago, or its shopper was not told that it is confirmed.
    async fn orders_to_refund(&self) -> Result<Vec<Order>, Failure> {
        let (mut found, mut after): (Vec<Order>, Option<Unsettled>) = (Vec::new(), None);
        for _ in 0..MOST_PAGES_OF_REFUNDS {
            let page = self.orders.refunds_pending(Timestamp::MIN, after.as_ref()).await?;
            let ids: Vec<OrderId> = page.orders.iter().map(|order| order.id.clone()).collect();
            found.extend(self.orders.get_all(&ids).await?);
            after = page.orders.last().cloned();
            if !page.more {
                break;
            }
        }
        Ok(found)
    }
}
