//! Holds whose time is over but whose units are still held. Either the run that claimed them died before it wrote the
//! reservation, or the message, TTL or stream record that should have ended them is late or lost.

use domain::{Hold, ReleaseOutcome, ReservationStatus, ShardNumber, ShopperId};
use kit::Failure;
use store::{EndOutcome, Ending};

use crate::Reconcile;

/// A hold with its shard and its shopper.
#[derive(Debug, Clone)]
pub(crate) struct ShardHold {
    pub(crate) shard: ShardNumber,
    pub(crate) shopper: ShopperId,
    pub(crate) hold: Hold,
}

impl Reconcile {
    /// Ends a hold that is overdue according to its shard, if its reservation confirms it. False: the hold is being
    /// paid, has more time, or was ended by another run.
    pub(crate) async fn end_hold(&self, held: &ShardHold) -> Result<bool, Failure> {
        let ShardHold { shard, shopper, hold } = held;
        let (id, now) = (&hold.reservation, self.clock.now());
        let found = self.reservations.get(shopper, id.product()).await?;
        let (ended, cause) = match found {
            // A late claim, written after the same request had claimed elsewhere. The reservation and its order stay.
            Some(reservation) if reservation.id == *id && reservation.shard != *shard => {
                let released = self.stock.release_ended(*shard, shopper, id, hold.expires_at).await?;
                (released == ReleaseOutcome::Released, "its reservation is for units of another shard")
            }
            Some(reservation) if reservation.id == *id => match reservation.status {
                // After a failed payment, the hold ends later than its shard says.
                ReservationStatus::Held if (Hold { expires_at: reservation.expires_at, ..hold.clone() }).is_overdue(now) => {
                    // The stream triggers the release of the units. If it loses the record, the next run finds no
                    // reservation.
                    let outcome = self.reservations.end(shopper, id, Ending::Overdue(now)).await?;
                    (outcome == EndOutcome::Ended, "its reservation had not ended")
                }
                ReservationStatus::Held | ReservationStatus::Paying => return Ok(false),
                // Units are sold before their reservation becomes purchased.
                ReservationStatus::Purchased => {
                    tracing::error!(reservation = %id, %shard, "a purchased reservation's units are only held");
                    return Ok(false);
                }
            },
            // These units cannot be paid for without their reservation, and no run can write it any more.
            other => {
                let cause = if other.is_none() { "there is no reservation" } else { "the shopper has another reservation" };
                (self.releases.release(*shard, shopper, id, hold.expires_at, None).await? == ReleaseOutcome::Released, cause)
            }
        };
        if ended {
            tracing::warn!(reservation = %id, %shard, cause, "an overdue hold was ended");
        }
        Ok(ended)
    }
}
