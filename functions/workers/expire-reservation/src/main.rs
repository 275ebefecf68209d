//! Expiry queue: end the holds whose time is over.

use expire_reservation::ExpireReservation;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ExpireReservation::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::queue(function)).await
}
