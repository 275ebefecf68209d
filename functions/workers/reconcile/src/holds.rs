//! Holds whose time is over and whose units are still held: the run that claimed them died before it wrote the reservation,
//! or the message, TTL or the stream that should have ended them is late or lost.

use domain::{Hold, ReleaseOutcome, ReservationStatus, ShardNumber, ShopperId};
use kit::Failure;
use store::{EndOutcome, Ending};

use crate::Reconcile;

/// A hold in its place.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) shard: ShardNumber,
    pub(crate) shopper: ShopperId,
    pub(crate) hold: Hold,
}

impl Reconcile {
    /// Ends a hold that is overdue by its shard, if its reservation says so too. False: it is being paid, has got more time, or
    /// somebody else has ended it.
    pub(crate) async fn end_hold(&self, held: &Held) -> Result<bool, Failure> {
        let Held { shard, shopper, hold } = held;
        let (id, now) = (&hold.reservation, self.clock.now());
        let found = self.reservations.get(shopper, id.product()).await?;
        let (ended, cause) = match found {
            // A claim that came late, after the same request had claimed elsewhere: what stands stays, with its order.
            Some(reservation) if reservation.id == *id && reservation.shard != *shard => {
                let released = self.stock.release(*shard, shopper, id).await?;
                (released == ReleaseOutcome::Released, "its reservation is for units of another shard")
            }
            Some(reservation) if reservation.id == *id => match reservation.status {
                // After a payment that failed it ends later than its shard says.
                ReservationStatus::Held if (Hold { expires_at: reservation.expires_at, ..hold.clone() }).is_overdue(now) => {
                    // Its stream releases the units; if that loses the record, the next run finds no reservation.
                    let outcome = self.reservations.end(shopper, id, Ending::Overdue(now)).await?;
                    (outcome == EndOutcome::Ended, "nobody ended its reservation")
                }
                ReservationStatus::Held | ReservationStatus::Paying => return Ok(false),
                // Units are sold before their reservation is.
                ReservationStatus::Purchased => {
                    tracing::error!(reservation = %id, %shard, "a purchased reservation's units are only held");
                    return Ok(false);
                }
            },
            // Without its reservation nobody can pay for these units, and it will not be written any more.
            other => {
                let cause = if other.is_none() { "there is no reservation" } else { "the shopper has another reservation" };
                (self.releases.release(*shard, shopper, id).await? == ReleaseOutcome::Released, cause)
            }
        };
        if ended {
            tracing::warn!(reservation = %id, %shard, cause, "an overdue hold was ended");
        }
        Ok(ended)
    }
}
