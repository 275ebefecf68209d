//! Saga: sells the units of an order whose money is authorised or charged: held → sold on their shard.

use domain::{ReservationStatus, SellOutcome};
use kit::TaskFunction;
use parts::{FromParts, Parts};
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Reservations, Stock};

/// The Lambda handler and its dependencies.
pub struct SellStock {
    reservations: Reservations,
    stock: Stock,
}

/// The output: the units are sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitsSold {
    /// How many units.
    pub quantity: u32,
}

impl FromParts for SellStock {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { reservations: parts.reservations(), stock: parts.stock() }
    }
}

impl TaskFunction for SellStock {
    type Task = Task;
    type Output = UnitsSold;
    type Error = SagaError;

    /// Sells the units of one order.
    ///
    /// # Errors
    /// [`SagaError::HoldLost`] when the units are not held for its payment.
    async fn handle(&self, task: Task) -> Result<UnitsSold, SagaError> {
        let reservation = saga::reservation(&self.reservations, &task).await?.ok_or(SagaError::HoldLost)?;
        match reservation.status {
            ReservationStatus::Paying | ReservationStatus::Purchased => {}
            // The reservation waits for another payment: these units are not paid for.
            ReservationStatus::Held => return Err(SagaError::HoldLost),
        }
        let quantity = reservation.quantity;
        match self.stock.sell(reservation.shard, &task.shopper, &task.order_id, quantity).await? {
            SellOutcome::Sold => Ok(UnitsSold { quantity: quantity.units() }),
            SellOutcome::HoldLost => Err(SagaError::HoldLost),
        }
    }
}
