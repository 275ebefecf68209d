//! The shards of a sale: whether they add up, whether a hold is overdue, and whether the availability item is right.

use domain::{Availability, SignedDuration, Timestamp};
use kit::Failure;

use crate::{Findings, Look, Reconcile, holds::ShardHold};

/// Overdue holds that one run ends in one sale, about 300 bytes each. The next run continues.
const MOST_HOLDS: usize = 10_000;
/// Changes reach the availability item within a second or two. An item that is younger than this proves nothing about
/// the stream.
const REFRESHED_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// The totals of all shards of a sale.
pub(crate) struct Sum {
    pub(crate) units: u64,
    overdue: Vec<ShardHold>,
    pub(crate) known: Option<Availability>,
    pub(crate) derived: Availability,
}

impl Reconcile {
    /// Checks every shard of a sale. Returns whether nothing is held in any of them, as far as it can see.
    pub(crate) async fn check_stock(&self, look: &mut Look, found: &mut Findings) -> bool {
        let Some(sum) = self.sum(look, false).await else { return false };
        let is_quiet = sum.derived.held_units() == 0;
        if sum.units != u64::from(look.sale.layout.units()) {
            self.check_units(look, found).await;
        }
        if !is_known(&sum, self.clock.now()) {
            let mended = self.mend_availability(look).await;
            found.availabilities_mended += usize::from(look.note(mended) == Some(true));
        }
        let ended = self.each(look, sum.overdue, |held| async move { self.end_hold(&held).await }).await;
        found.holds_overdue += ended.into_iter().filter(|ended| *ended).count();
        is_quiet
    }

    /// Reads all shards; `None` when a read fails or time is short.
    pub(crate) async fn sum(&self, look: &mut Look, consistent: bool) -> Option<Sum> {
        let (product, layout, now) = (look.sale.product.clone(), look.sale.layout.clone(), self.clock.now());
        let mut sum = Sum { units: 0, overdue: Vec::new(), known: None, derived: Availability::anew(None, &layout, now) };
        for page in 0.. {
            if !self.goes_on(look) {
                return None;
            }
            let survey = self.stock.survey(&product, &layout, page, consistent).await;
            let survey = look.note(survey)?;
            if page == 0 {
                sum.known = survey.availability;
                sum.derived = Availability::anew(sum.known.as_ref(), &layout, now);
            }
            for (shard, stock) in &survey.shards {
                sum.derived.fold(*shard, stock);
                sum.units += u64::from(stock.available()) + u64::from(stock.held_units()) + u64::from(stock.sold_units());
                let overdue = stock.held().iter().filter(|(_, hold)| hold.is_overdue(now));
                let overdue =
                    overdue.map(|(shopper, hold)| ShardHold { shard: *shard, shopper: shopper.clone(), hold: hold.clone() });
                sum.overdue.extend(overdue.take(MOST_HOLDS.saturating_sub(sum.overdue.len())));
            }
            if !survey.more {
                break;
            }
        }
        Some(sum)
    }

    /// The shards did not add up to the units of the sale. Reads both again, strongly consistent, before it raises an
    /// alarm.
    async fn check_units(&self, look: &mut Look, found: &mut Findings) {
        let stored = self.sales.get_for_write(&look.sale.product).await;
        let Some(Some(stored)) = look.note(stored) else { return };
        look.sale = stored.sale;
        // Not all of its shards were made.
        if !look.sale.is_prepared() {
            return;
        }
        let Some(sum) = self.sum(look, true).await else { return };
        let (units, in_shards) = (u64::from(look.sale.layout.units()), sum.units);
        found.oversold_units += in_shards.saturating_sub(units);
        found.undersold_units += units.saturating_sub(in_shards);
        if in_shards != units {
            tracing::error!(sale = %look.sale.product, units, in_shards, "the shards of a sale do not add up to its units");
        }
    }

    /// Writes the availability item again, if it is certainly wrong. The item is read before the shards: any change
    /// after its version reaches it through the stream.
    async fn mend_availability(&self, look: &mut Look) -> Result<bool, Failure> {
        let product = look.sale.product.clone();
        let mut update = self.availabilities.update(&product);
        while update.read().await? {
            let Some(derived) = self.derive_availability(look, update.known()).await? else { return Ok(false) };
            if let Some(written) = update.write(derived).await? {
                let (available, before) = (written.available(), update.known().map(Availability::available));
                tracing::warn!(sale = %product, available, before, cause = "the stream did not update it", "availability was mended");
                return Ok(true);
            }
        }
        // The other writer has derived the item from the shards, too. The next run checks it again.
        Ok(false)
    }

    /// The correct content of the item; `None` when the item is correct, or will be in a moment.
    async fn derive_availability(&self, look: &mut Look, known: Option<&Availability>) -> Result<Option<Availability>, Failure> {
        // A restock may have added shards since the catalogue was read.
        let Some(stored) = self.sales.get_for_write(&look.sale.product).await? else { return Ok(None) };
        look.sale = stored.sale;
        if !look.sale.is_prepared() {
            return Ok(None);
        }
        let Some(sum) = self.sum(look, true).await else { return Ok(None) };
        let (mut sum, now) = (Sum { known: known.cloned(), ..sum }, self.clock.now());
        if is_known(&sum, now) {
            return Ok(None);
        }
        sum.derived.stamp(now);
        Ok(Some(sum.derived))
    }
}

/// Whether the availability item agrees with the shards, or will in a moment.
fn is_known(sum: &Sum, now: Timestamp) -> bool {
    sum.known.as_ref().is_some_and(|known| {
        let last = known.sold_out_at.map_or(known.as_of, |marked_at| marked_at.max(known.as_of));
        sum.derived.agrees_with(known) || now < last.checked_add(REFRESHED_WITHIN).unwrap_or(Timestamp::MAX)
    })
}
