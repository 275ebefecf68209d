//! Reservation stream: sends the message that ends a hold, for each new hold and for each hold that a failed payment has
//! handed back (ADR 18).
//!
//! `reserve` and `fail-order` only write the reservation. The stream loses no write, also when the writer dies after it. A
//! record that comes again or late sends one more message, which does no harm: `expire-reservation` ends a hold only at its
//! end, and a message that is not needed finds nothing to end.

use std::sync::Arc;

use domain::{Clock, ReservationStatus};
use kit::{Failure, StreamBatchFunction, workers::EventRecord};
use messages::{ExpiryMessage, ExpiryQueue};
use parts::{FromParts, Parts};
use store::reservation_image;

/// The Lambda handler and its dependencies.
pub struct ScheduleExpiry {
    clock: Arc<dyn Clock>,
    queue: ExpiryQueue,
}

impl FromParts for ScheduleExpiry {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), queue: parts.expiry_queue() }
    }
}

impl StreamBatchFunction for ScheduleExpiry {
    /// Schedules the ends of all holds in a batch. A record that cannot be read is left out, because otherwise it would block
    /// all later ones.
    ///
    /// # Errors
    /// When the queue does not take every message: the stream delivers the whole batch again.
    async fn handle(&self, records: Vec<EventRecord>) -> Result<(), Failure> {
        let ends: Vec<ExpiryMessage> = records.iter().filter_map(end_of_hold).collect();
        Ok(self.queue.schedule_all(&ends, self.clock.now()).await?)
    }
}

/// The message for the hold that a record leaves. `None`: it leaves none.
///
/// The stream's filter passes only records that leave a new hold, or one that was being paid.
fn end_of_hold(record: &EventRecord) -> Option<ExpiryMessage> {
    if record.event_name == "REMOVE" {
        return None;
    }
    match reservation_image(&record.change.new_image) {
        Ok(reservation) => reservation.filter(|it| it.status == ReservationStatus::Held).map(|held| ExpiryMessage {
            reservation_id: held.id,
            shopper: held.shopper,
            expires_at: held.expires_at,
        }),
        Err(error) => {
            kit::workers::left_out(record, &error);
            None
        }
    }
}
