//! Saga: sells the units of a charged order: held → sold on their shard.

use domain::{ReservationStatus, SellOutcome};
use kit::{ConfigurationError, Environment};
use saga::{SagaError, Task};
use serde::Serialize;
use store::{Reservations, Stock};

/// The function, with what it stands on.
pub struct SellStock {
    reservations: Reservations,
    stock: Stock,
}

/// The units are sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitsSold {
    /// How many.
    pub quantity: u32,
}

impl SellStock {
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

    /// Sells the units of one order.
    ///
    /// # Errors
    /// [`SagaError::HoldLost`] when they are not held for its payment.
    pub async fn handle(&self, task: Task) -> Result<UnitsSold, SagaError> {
        let reservation = saga::reservation(&self.reservations, &task).await?.ok_or(SagaError::HoldLost)?;
        match reservation.status {
            ReservationStatus::Paying | ReservationStatus::Purchased => {}
            // It waits for another payment: nobody has paid for these units.
            ReservationStatus::Held => return Err(SagaError::HoldLost),
        }
        let quantity = reservation.quantity;
        match self.stock.sell(reservation.shard, &task.shopper, &task.order_id, quantity).await? {
            SellOutcome::Sold => Ok(UnitsSold { quantity: quantity.units() }),
            SellOutcome::HoldLost => Err(SagaError::HoldLost),
        }
    }
}
