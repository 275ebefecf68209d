//! The use case: read every shard, and end the reservation of each hold, as its shopper would by a cancellation.
//!
//! The stream of the reservations then releases the units. A reservation that is being paid or is purchased stays. A hold whose
//! reservation is gone is left to the stream or to `reconcile`.

use std::sync::Arc;

use domain::{Clock, ProductId, ReservationId, SaleState, SaleStatus, ShardNumber, ShopperId};
use futures_util::{StreamExt, TryStreamExt, stream};
use kit::Deadline;
use parts::{FromParts, Parts};
use store::{EndOutcome, Ending, Reservations, Sales, Stock, StoreError};

/// Reservations that are ended at the same time.
const ENDED_AT_ONCE: usize = 32;

/// Ends the holds of sales that are over.
pub struct HoldEndings {
    clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    reservations: Reservations,
}

/// The result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedHolds {
    /// Holds that this request ended.
    pub ended: u32,
    /// A later request may find more: the time was too short, or reservations may still be under way.
    pub more: bool,
}

/// Why no hold was ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// There is no such sale.
    #[error("unknown product")]
    UnknownProduct,
    /// The sale still takes reservations, or will.
    #[error("the sale is not over")]
    NotOver,
    /// The store failed. The holds that were ended before stay ended.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FromParts for HoldEndings {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: parts.sales(), stock: parts.stock(), reservations: parts.reservations() }
    }
}

impl HoldEndings {
    /// Ends the holds of the sale of `product`, as many as the time allows. May be repeated.
    ///
    /// # Errors
    /// Every [`EndError`].
    pub async fn end(&self, product: &ProductId) -> Result<EndedHolds, EndError> {
        let now = self.clock.now();
        let deadline = Deadline::of_request(&*self.clock, now);
        let sale = self.sales.get_for_write(product).await?.ok_or(EndError::UnknownProduct)?.sale;
        if sale.state(now, u32::MAX) != SaleState::Ended {
            return Err(EndError::NotOver);
        }
        let mut ended = 0;
        for some in Stock::batches(&sale.layout) {
            if deadline.has_passed() {
                return Ok(EndedHolds { ended, more: true });
            }
            ended += self.end_in(product, &some).await?;
        }
        // An earlier version did not note when it closed a sale. That was long ago.
        let was_closed_long_ago = sale.status == SaleStatus::Closed && sale.closed_at.is_none();
        Ok(EndedHolds { ended, more: !was_closed_long_ago && now < sale.unreservable_at() })
    }

    /// Ends the holds in these shards. Returns how many it ended.
    async fn end_in(&self, product: &ProductId, some: &[ShardNumber]) -> Result<u32, EndError> {
        let shards = self.stock.read(product, some).await?;
        let holds: Vec<(ShopperId, ReservationId)> = shards
            .into_iter()
            .flat_map(|(_, shard)| {
                shard.held().iter().map(|(shopper, hold)| (shopper.clone(), hold.reservation.clone())).collect::<Vec<_>>()
            })
            .collect();
        let ended = stream::iter(holds)
            .map(|(shopper, id)| async move { self.reservations.end(&shopper, &id, Ending::Cancelled).await })
            .buffer_unordered(ENDED_AT_ONCE)
            .try_fold(0, |ended, outcome| std::future::ready(Ok(ended + u32::from(matches!(outcome, EndOutcome::Ended)))));
        Ok(ended.await?)
    }
}
