//! `DELETE /reservations/{reservation_id}`: give units back.

use cancel_reservation::CancelReservation;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = CancelReservation::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
