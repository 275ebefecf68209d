//! Expiry queue: ends holds whose time is over. It only deletes the reservation; the table's stream triggers the
//! release of the units.

use std::sync::Arc;

use domain::{Clock, ReservationStatus};
use kit::{Failure, QueueFunction};
use messages::{ExpiryMessage, ExpiryQueue};
use parts::{FromParts, Parts};
use store::{EndOutcome, Ending, Reservations};

/// The Lambda handler and its dependencies.
pub struct ExpireReservation {
    clock: Arc<dyn Clock>,
    reservations: Reservations,
    queue: ExpiryQueue,
}

impl FromParts for ExpireReservation {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), reservations: parts.reservations(), queue: parts.expiry_queue() }
    }
}

impl QueueFunction for ExpireReservation {
    type Message = ExpiryMessage;

    /// Ends one hold if its time is over, else schedules another message.
    ///
    /// # Errors
    /// When the store or the queue does not answer: SQS delivers the message again.
    async fn handle(&self, message: ExpiryMessage) -> Result<(), Failure> {
        let now = self.clock.now();
        if now < message.expires_at {
            // The hold is longer than SQS delays a message, or this clock is behind the clock that set the end.
            return Ok(self.queue.schedule(&message, now).await?);
        }
        match self.reservations.end(&message.shopper, &message.reservation_id, Ending::Overdue(now)).await? {
            EndOutcome::Ended => tracing::info!(reservation = %message.reservation_id, "a hold has ended"),
            EndOutcome::Gone => {}
            EndOutcome::Kept(kept) => match kept.status {
                // A failed payment has moved its end.
                ReservationStatus::Held => {
                    self.queue.schedule(&ExpiryMessage { expires_at: kept.expires_at, ..message }, now).await?;
                }
                // The saga decides. If it hands the hold back, `schedule-expiry` sends another message.
                ReservationStatus::Paying | ReservationStatus::Purchased => {}
            },
        }
        Ok(())
    }
}
