//! Reservation stream: releases the units of holds that have ended, whoever ended them: the expiry queue, TTL, the shopper.
//!
//! The stream's filter lets through what was removed while it was held; this checks it again, because releasing the units of
//! a reservation that is being paid would sell them twice.

use std::sync::Arc;

use domain::{Clock, ReleaseOutcome, ReservationId, ReservationStatus, ShardNumber, ShopperId};
use kit::{ConfigurationError, Environment, Failure, SystemClock, workers::EventRecord};
use store::{Orders, Stock, StoreError, ended_reservation};

/// The function, with what it stands on.
pub struct ReleaseStock {
    clock: Arc<dyn Clock>,
    stock: Stock,
    orders: Orders,
}

impl ReleaseStock {
    /// The function on what it is given.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, stock: Stock, orders: Orders) -> Self {
        Self { clock, stock, orders }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let (stock, order) = (env.text("STOCK_TABLE"), env.text("ORDER_TABLE"));
        env.finish()?;
        let client = kit::dynamodb(&kit::aws().await);
        Ok(Self::new(Arc::new(SystemClock), Stock::new(client.clone(), stock), Orders::new(client, order)))
    }

    /// Releases the units of one reservation that was removed.
    ///
    /// # Errors
    /// When the store does not answer: the record comes again, and those after it wait. A record that would fail again is left
    /// out.
    pub async fn handle(&self, record: EventRecord) -> Result<(), Failure> {
        if record.event_name != "REMOVE" {
            return Ok(());
        }
        match self.release_removed(&record).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_passing() => Err(error.into()),
            Err(error) => {
                // It would keep every release behind it waiting, and fail again.
                kit::workers::left_out(&record, &error);
                Ok(())
            }
        }
    }

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

    /// Ends what a reservation that was never written, or has been removed while it was held, leaves behind: an order that
    /// waits for its payment expires, and the units are released. In this order, because whoever finds the units held does
    /// both again, and nobody looks for the order alone.
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
