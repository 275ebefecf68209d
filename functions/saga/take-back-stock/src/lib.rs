//! Saga, compensation: makes the units of an order available again, whether they were sold or still held.

use domain::{ReleaseOutcome, ReservationStatus, TakeBackOutcome};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Reservations, Stock};

/// The Lambda handler and its dependencies.
pub struct TakeBackStock {
    reservations: Reservations,
    stock: Stock,
}

/// The output: the units are available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitsBack {
    /// True: this run moved them. False: an earlier run did.
    pub moved: bool,
}

impl FromParts for TakeBackStock {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { reservations: parts.reservations(), stock: parts.stock() }
    }
}

impl TaskFunction for TakeBackStock {
    type Task = Task;
    type Output = UnitsBack;
    type Error = SagaError;

    /// Takes the units of one order back.
    ///
    /// # Errors
    /// [`SagaError::OrderNotPending`] when the units are bought, or held without a payment.
    async fn handle(&self, task: Task) -> Result<UnitsBack, SagaError> {
        // The reservation is deleted after its units are back. If it is gone, an earlier run has done everything.
        let Some(reservation) = saga::reservation(&self.reservations, &task).await? else {
            return Ok(UnitsBack { moved: false });
        };
        match reservation.status {
            ReservationStatus::Paying => {}
            // The units are bought, or wait for another payment until the hold ends. This saga must not undo that.
            ReservationStatus::Purchased | ReservationStatus::Held => return Err(SagaError::OrderNotPending),
        }
        // In this order: after the release, a late sale finds nothing held, and an earlier sale is taken back.
        let released = self.stock.release(reservation.shard, &task.shopper, &task.order_id).await?;
        let taken_back = self.stock.take_back(reservation.shard, &task.shopper, &task.order_id).await?;
        Ok(UnitsBack { moved: taken_back == TakeBackOutcome::TakenBack || released == ReleaseOutcome::Released })
    }
}
