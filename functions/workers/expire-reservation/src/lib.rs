//! Expiry queue: ends the holds whose time is over. Deleting the reservation is all; its stream releases the units.

use std::sync::Arc;

use domain::{Clock, ReservationStatus};
use kit::{ConfigurationError, Environment, Failure, SystemClock};
use messages::{ExpiryMessage, ExpiryQueue};
use store::{EndOutcome, Ending, Reservations};

/// The function, with what it stands on.
pub struct ExpireReservation {
    clock: Arc<dyn Clock>,
    reservations: Reservations,
    queue: ExpiryQueue,
}

impl ExpireReservation {
    /// The function on what it is given.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, reservations: Reservations, queue: ExpiryQueue) -> Self {
        Self { clock, reservations, queue }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let (table, queue) = (env.text("RESERVATION_TABLE"), env.text("EXPIRY_QUEUE_URL"));
        env.finish()?;
        let aws = kit::aws().await;
        let reservations = Reservations::new(kit::dynamodb(&aws), table);
        Ok(Self::new(Arc::new(SystemClock), reservations, ExpiryQueue::new(kit::sqs(&aws), queue)))
    }

    /// Ends one hold if its time is over, or waits on.
    ///
    /// # Errors
    /// When the store or the queue does not answer: the message comes again.
    pub async fn handle(&self, message: ExpiryMessage) -> Result<(), Failure> {
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
