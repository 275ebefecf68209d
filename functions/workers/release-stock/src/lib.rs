//! Reservation stream: releases the units of a hold when its reservation is removed: by the expiry queue, by TTL or by
//! the shopper.
//!
//! The stream's filter passes only reservations that were held when they were removed. This function checks it again,
//! because releasing the units of a reservation that is being paid would sell them twice.

use std::sync::Arc;

use domain::{Clock, ReleaseOutcome, ReservationId, ReservationStatus, ShardNumber, ShopperId};
use kit::{Failure, StreamFunction, workers::EventRecord};
use parts::{FromParts, Parts};
use store::{Orders, Stock, StoreError, ended_reservation};

/// The Lambda handler and its dependencies.
pub struct ReleaseStock {
    clock: Arc<dyn Clock>,
    stock: Stock,
    orders: Orders,
}

impl FromParts for ReleaseStock {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), stock: parts.stock(), orders: parts.orders() }
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
        let reservation = ended_reservation(&record.change.old_image)?;
        match reservation.status {
            ReservationStatus::Held => {}
            ReservationStatus::Paying | ReservationStatus::Purchased => return Ok(()),
        }
        let outcome = self.release(reservation.shard, &reservation.shopper, &reservation.id).await?;
        let by_ttl = record.user_identity.is_some();
        tracing::info!(reservation = %reservation.id, shard = %reservation.shard, ?outcome, by_ttl, "a hold has ended");
        Ok(())
    }

    /// Cleans up after a reservation that was never written, or was removed while it was held. It expires the order
    /// that waits for its payment, then releases the units. The order is important: a run that finds the units held
    /// repeats both steps, but no run looks for the order alone.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn release(
        &self,
        shard: ShardNumber,
        shopper: &ShopperId,
        reservation: &ReservationId,
    ) -> Result<ReleaseOutcome, StoreError> {
        self.orders.expire(reservation, self.clock.now()).await?;
        self.stock.release(shard, shopper, reservation).await
    }
}
