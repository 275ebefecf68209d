//! Orders whose refund no gateway has confirmed. Every run counts them, so that the alarm stays on until each has ended.

use domain::{OrderId, PaymentStatus, Timestamp};
use kit::Failure;
use store::Unsettled;

use crate::{Findings, Reconcile};

/// Pages of a hundred orders that one run counts. More refunds than that are as alarming.
const MOST_PAGES_OF_REFUNDS: usize = 10;

impl Reconcile {
    /// Counts these orders. A failure is logged, and the run goes on.
    pub(crate) async fn count_refunds(&self, found: &mut Findings) {
        match self.refunds_pending().await {
            Ok(count) => found.refunds_pending = count,
            Err(failure) => {
                tracing::error!(%failure, "the orders whose refund is pending could not be counted");
                found.refunds_unknown = true;
            }
        }
    }

    async fn refunds_pending(&self) -> Result<usize, Failure> {
        let (mut count, mut after): (usize, Option<Unsettled>) = (0, None);
        for _ in 0..MOST_PAGES_OF_REFUNDS {
            let page = self.orders.refunds_pending(Timestamp::MIN, after.as_ref()).await?;
            let ids: Vec<OrderId> = page.orders.iter().map(|order| order.id.clone()).collect();
            // The index is eventually consistent: the refund may be confirmed.
            let orders = self.orders.get_all(&ids).await?;
            count += orders.iter().filter(|order| order.payment_status == PaymentStatus::RefundPending).count();
            after = page.orders.last().cloned();
            if !page.more {
                break;
            }
        }
        Ok(count)
    }
}
