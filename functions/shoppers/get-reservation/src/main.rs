//! `GET /reservations`: a shopper's reservation.

use get_reservation::GetReservation;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetReservation::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
