//! Expiry queue: end the holds whose time is over.

use expire_reservation::ExpireReservation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ExpireReservation::from_environment().await?;
    kit::serve_sqs(|message| function.handle(message)).await
}
