//! Sales that are over and settled: they leave the live catalogue, and no later run looks at them.

use domain::{Availability, Sale, SignedDuration, Timestamp};
use kit::Failure;

use crate::{Look, Reconcile};

/// Time after a sale's end, and after the last change of its stock, until nothing new can begin in it. An environment believes
/// for a second that a sale is open, a late claim takes effect within seconds, and the index of unsettled orders follows
/// within moments.
const QUIET_FOR: SignedDuration = SignedDuration::from_mins(10);

impl Reconcile {
    /// Moves the sale to the ended catalogue, if it is over and everything in it is settled.
    pub(crate) async fn retire(&self, look: &mut Look) {
        if self.has_passed(look.sale.over_at()) {
            let retired = self.try_to_retire(look).await;
            look.note(retired);
        }
    }

    async fn try_to_retire(&self, look: &mut Look) -> Result<(), Failure> {
        let Some(stored) = self.sales.get_for_write(&look.sale.product).await? else { return Ok(()) };
        look.sale = stored.sale.clone();
        // The decision is conditional on the sale's revision: another write of the sale makes it void.
        if self.has_passed(look.sale.over_at()) && self.is_settled(look).await? && self.sales.retire(&stored).await? {
            tracing::info!(sale = %look.sale.product, "a settled sale has left the live catalogue");
        }
        Ok(())
    }

    /// Whether no order is unsettled, nothing is held, all units are there, readers know it, and it has been so for a while.
    async fn is_settled(&self, look: &mut Look) -> Result<bool, Failure> {
        let Sale { product, is_unfinished, .. } = look.sale.clone();
        if !self.orders.unsettled(&product, self.clock.now(), None).await?.orders.is_empty() {
            return Ok(false);
        }
        if is_unfinished {
            return Ok(true);
        }
        let Some(sum) = self.sum(look, true).await else { return Ok(false) };
        let is_known = |known: &Availability| {
            let changed_at = known.sold_out_at.map_or(known.as_of, |marked_at| marked_at.max(known.as_of));
            known.agrees_with(&sum.derived) && self.has_passed(changed_at)
        };
        let has_all_units = sum.units == u64::from(look.sale.layout.units());
        Ok(has_all_units && sum.derived.held_units() == 0 && sum.known.as_ref().is_some_and(is_known))
    }

    /// Whether it has been quiet for long enough since `time`.
    fn has_passed(&self, time: Timestamp) -> bool {
        time.checked_add(QUIET_FOR).unwrap_or(Timestamp::MAX) <= self.clock.now()
    }
}
