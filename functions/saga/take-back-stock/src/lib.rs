//! Saga, compensation: makes the units of an order available again, whether they were sold or still held.

use domain::{ReleaseOutcome, ReservationStatus, TakeBackOutcome};
use kit::{ConfigurationError, Environment};
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Reservations, Stock};

/// The function, with what it stands on.
pub struct TakeBackStock {
    reservations: Reservations,
    stock: Stock,
}

/// The units are available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitsBack {
    /// By this run. False: by an earlier one.
    pub moved: bool,
}

impl TakeBackStock {
    /// The function on what it is given.
    #[must_use]
    pub fn new(reservations: Reservations, stock: Stock) -> Self {
        Self { reservations, stock }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let (stock, reservation) = (env.text("STOCK_TABLE"), env.text("RESERVATION_TABLE"));
        env.finish()?;
        let client = kit::dynamodb(&kit::aws().await);
        Ok(Self::new(Reservations::new(client.clone(), reservation), Stock::new(client, stock)))
    }

    /// Takes the units of one order back.
    ///
    /// # Errors
    /// [`SagaError::OrderNotPending`] when they are not being paid: bought, or only held.
    pub async fn handle(&self, task: Task) -> Result<UnitsBack, SagaError> {
        // The reservation goes last, after its units: without it, an earlier run has done everything.
        let Some(reservation) = saga::reservation(&self.reservations, &task).await? else {
            return Ok(UnitsBack { moved: false });
        };
        match reservation.status {
            ReservationStatus::Paying => {}
            // Bought, or waiting for another payment until the hold ends: not for this saga to undo.
            ReservationStatus::Purchased | ReservationStatus::Held => return Err(SagaError::OrderNotPending),
        }
        // In this order: after the release, a sale that comes late finds nothing held; one that came before is taken back.
        let released = self.stock.release(reservation.shard, &task.shopper, &task.order_id).await?;
        let taken_back = self.stock.take_back(reservation.shard, &task.shopper, &task.order_id).await?;
        Ok(UnitsBack { moved: taken_back == TakeBackOutcome::TakenBack || released == ReleaseOutcome::Released })
    }
}
