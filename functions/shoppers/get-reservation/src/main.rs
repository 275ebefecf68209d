//! `GET /reservations`: a shopper's reservation.

use get_reservation::GetReservation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetReservation::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
