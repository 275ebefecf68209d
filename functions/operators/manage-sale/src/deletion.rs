//! The use case: close the sale, wait until no shopper can reserve in it any more, then delete its shards, and the sale with the
//! rest in one transaction.
//!
//! A run may die after any step, and the same request continues. Each shard is deleted only if nothing is held or sold in it.

use std::{ops::Range, sync::Arc};

use domain::{Clock, ProductId, SaleStatus, StockShard, seconds_until};
use kit::{Deadline, Progress, Stopped};
use parts::{FromParts, Parts};
use store::{Orders, Sales, Stock, StoreError, StoredSale};

use crate::written;

/// Deletes sales.
pub struct SaleDeletion {
    clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    orders: Orders,
}

/// Why a sale was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// Units are held or sold, or an order is not settled.
    #[error("the sale is in use")]
    InUse,
    /// The sale is closed, but a shopper may still be reserving in it.
    #[error("the sale may still be reservable")]
    TooSoon {
        /// Seconds until the same request goes on.
        after_seconds: u32,
    },
    /// The request did not finish: too little time, another change at the same time, or a failure of the store.
    #[error(transparent)]
    Stopped(#[from] Stopped<StoreError>),
}

impl From<StoreError> for DeleteError {
    fn from(error: StoreError) -> Self {
        Self::Stopped(error.into())
    }
}

impl FromParts for SaleDeletion {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: parts.sales(), stock: parts.stock(), orders: parts.orders() }
    }
}

impl SaleDeletion {
    /// Deletes the sale of `product`. A sale that does not exist is deleted.
    ///
    /// # Errors
    /// Every [`DeleteError`].
    pub async fn delete(&self, product: &ProductId) -> Result<(), DeleteError> {
        let deadline = Deadline::of_request(&*self.clock, self.clock.now());
        let Some(mut stored) = self.sales.get_for_write(product).await? else { return Ok(()) };
        if stored.sale.is_prepared() {
            self.must_be_unused(&stored).await?;
        }
        // The status alone would not say since when no shopper can reserve, if an earlier version closed the sale.
        if stored.sale.status != SaleStatus::Closed || stored.sale.closed_at.is_none() {
            stored = written(self.sales.change_status(&stored, SaleStatus::Closed, self.clock.now()).await?)?;
        }
        if stored.sale.is_prepared() {
            self.must_be_unreservable(&stored)?;
            // A claim may have come between the first look and now.
            self.must_be_unused(&stored).await?;
            // Only `reconcile` finishes such an order, and it looks at listed sales.
            if !self.orders.unsettled(product, self.clock.now(), None).await?.orders.is_empty() {
                return Err(DeleteError::InUse);
            }
            stored = written(self.sales.begin_deletion(&stored).await?)?;
        }
        stored = self.delete_shards(stored, &deadline).await?;
        if self.sales.delete(&stored).await? { Ok(()) } else { Err(Stopped::Overtaken.into()) }
    }

    /// Refuses while a shopper who began before the sale was over may still reserve.
    fn must_be_unreservable(&self, stored: &StoredSale) -> Result<(), DeleteError> {
        let (sale, now) = (&stored.sale, self.clock.now());
        let unreservable_at = sale.unreservable_at();
        if sale.over_at() < sale.reservable_at() || unreservable_at <= now {
            return Ok(());
        }
        Err(DeleteError::TooSoon { after_seconds: seconds_until(unreservable_at, now).max(1) })
    }

    /// Refuses if anything is held or sold in any shard.
    async fn must_be_unused(&self, stored: &StoredSale) -> Result<(), DeleteError> {
        for some in Stock::batches(&stored.sale.layout) {
            let is_used = |shard: &StockShard| !shard.held().is_empty() || !shard.sold().is_empty();
            if self.stock.read(&stored.sale.product, &some).await?.iter().any(|(_, shard)| is_used(shard)) {
                return Err(DeleteError::InUse);
            }
        }
        Ok(())
    }

    /// Deletes all shards, also those of an earlier description and of an unfinished restock. It begins where the last run
    /// stopped, and notes where it stops itself.
    async fn delete_shards(&self, stored: StoredSale, deadline: &Deadline<'_>) -> Result<StoredSale, DeleteError> {
        let product = &stored.sale.product;
        let unfinished = stored.unfinished.as_ref().map_or(0, |restock| restock.extent.shards);
        let all = stored.shards_made.max(stored.sale.layout.shards().saturating_add(unfinished));
        let each =
            |some: Range<u32>| async move { self.stock.delete_unused(product, some.start, some.end, stored.revision).await };
        let progress = Progress::through(stored.shards_ready..all, Stock::MADE_AT_ONCE, deadline, each).await;
        if let Some(done) = progress.to_note() {
            written(self.sales.note_prepared(&stored, done).await?)?;
        }
        match progress.finished() {
            Ok(()) => Ok(stored),
            // A shard is in use, although no shopper can reserve any more.
            Err(Stopped::Overtaken) => Err(DeleteError::InUse),
            Err(stopped @ (Stopped::OutOfTime { .. } | Stopped::Failed(_))) => Err(stopped.into()),
        }
    }
}
