//! Expiry queue: ends the holds whose time is over. Deleting the reservation is all; its stream releases the units.

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

    /// Ends one hold if its time is over, or waits on.
    ///
    /// # Errors
    /// When the store or the queue does not answer: the message comes again.
    async fn handle(&self, message: ExpiryMessage) -> Result<(), Failure> {
        let now = self.clock.now();
        if now < message.expires_at {
            // A hold longer than SQS delays a message, or a clock that is behind the one that set the end.
            return Ok(self.queue.schedule(&message, now).await?);
        }
        match self.reservations.end(&message.shopper, &message.reservation_id, Ending::Overdue(now)).await? {
            EndOutcome::Ended => tracing::info!(reservation = %message.reservation_id, "a hold has ended"),
            EndOutcome::Gone => {}
            EndOutcome::Kept(kept) => match kept.status {
                // Its end was moved after a failed payment.
                ReservationStatus::Held => {
                    self.queue.schedule(&ExpiryMessage { expires_at: kept.expires_at, ..message }, now).await?;
                }
                // Its saga decides; if it hands the hold back, it sends a message of its own.
                ReservationStatus::Paying | ReservationStatus::Purchased => {}
            },
        }
        Ok(())
    }
}
