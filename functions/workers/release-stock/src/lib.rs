//! Reservation stream: releases the units of a hold when its reservation is removed: by the expiry queue, by TTL or by
//! the shopper.
//!
//! The stream's filter passes only reservations that were held when they were removed. This function checks it again,
//! because releasing the units of a reservation that is being paid would sell them twice.
//!
//! It then counts the unpaid end: `reserve` lets a shopper with several of them wait. This is a soft rule. It never stops
//! the release of units.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    Clock, Memory, ProductId, ReleaseOutcome, Reservation, ReservationId, ReservationStatus, ShardNumber, ShopperId,
    SignedDuration, Timestamp,
};
use kit::{Failure, StreamFunction, workers::EventRecord};
use parts::{FromParts, Parts};
use store::{CoolingShoppers, Orders, Sales, Stock, StoreError, reservation_image};

/// How long the count of an unpaid end may take: later records wait for it.
const COUNTED_WITHIN: Duration = Duration::from_secs(1);
/// How long an environment remembers that it has noted a sale's cooling shoppers. An operator's write may undo the note.
const NOTED_FOR: SignedDuration = SignedDuration::from_mins(1);
/// Remembered sales.
const MOST_NOTED: usize = 256;

/// The Lambda handler and its dependencies.
pub struct ReleaseStock {
    clock: Arc<dyn Clock>,
    stock: Stock,
    orders: Orders,
    sales: Sales,
    cooling: CoolingShoppers,
    /// Sales whose cooling shoppers this environment has noted.
    noted: Mutex<Memory<ProductId, ()>>,
}

impl FromParts for ReleaseStock {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            stock: parts.stock(),
            orders: parts.orders(),
            sales: parts.sales(),
            cooling: parts.cooling_shoppers(),
            noted: Mutex::new(Memory::lasting(NOTED_FOR, MOST_NOTED)),
        }
    }
}

impl StreamFunction for ReleaseStock {
    /// Releases the units of one removed reservation.
    ///
    /// # Errors
    /// When the store does not answer: the stream delivers the record again, and later records wait. A record that
    /// would fail again is left out.
    async fn handle(&self, record: EventRecord) -> Result<(), Failure> {
        if record.event_name != "REMOVE" {
            return Ok(());
        }
        match self.release_removed(&record).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_passing() => Err(error.into()),
            Err(error) => {
                // The record would block every later release, and would fail again.
                kit::workers::left_out(&record, &error);
                Ok(())
            }
        }
    }
}

impl ReleaseStock {
    async fn release_removed(&self, record: &EventRecord) -> Result<(), StoreError> {
        let Some(reservation) = reservation_image(&record.change.old_image)? else { return Ok(()) };
        match reservation.status {
            ReservationStatus::Held => {}
            ReservationStatus::Paying | ReservationStatus::Purchased => return Ok(()),
        }
        let outcome = self
            .release(
                reservation.shard,
                &reservation.shopper,
                &reservation.id,
                reservation.expires_at,
                Some(reservation.expires_at),
            )
            .await?;
        let by_ttl = record.user_identity.is_some();
        tracing::info!(reservation = %reservation.id, shard = %reservation.shard, ?outcome, by_ttl, "a hold has ended");
        let why = match tokio::time::timeout(COUNTED_WITHIN, self.count_unpaid_end(&reservation)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => kit::chain(&error),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::warn!(reservation = %reservation.id, cause = why, "an unpaid end was not counted");
        Ok(())
    }

    /// Counts the unpaid end of a hold. Once a shopper has to wait, it notes that in the sale, which `reserve` reads.
    async fn count_unpaid_end(&self, ended: &Reservation) -> Result<(), StoreError> {
        let (product, now) = (ended.id.product(), self.clock.now());
        // TTL may have deleted it long after its end.
        let ends = self.cooling.count(&ended.shopper, &ended.id, now.min(ended.expires_at)).await?;
        let is_noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner).recall(product, now).is_some();
        if ends.cool() && !is_noted {
            self.sales.note_cooling(product).await?;
            self.noted.lock().unwrap_or_else(PoisonError::into_inner).learn(product.clone(), (), now);
        }
        Ok(())
    }

    /// Cleans up after a reservation that was never written, or was removed while it was held. It expires the order
    /// that waits for its payment, then releases the units that were claimed until `claimed_until` at the latest. The order is
    /// important: a run that finds the units held repeats both steps, but no run looks for the order alone. `held_until` is as
    /// [`Orders::expire`] has it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn release(
        &self,
        shard: ShardNumber,
        shopper: &ShopperId,
        reservation: &ReservationId,
        claimed_until: Timestamp,
        held_until: Option<Timestamp>,
    ) -> Result<ReleaseOutcome, StoreError> {
        self.orders.expire(reservation, held_until, self.clock.now()).await?;
        self.stock.release_ended(shard, shopper, reservation, claimed_until).await
    }
}
