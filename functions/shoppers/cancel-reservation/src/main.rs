//! `DELETE /reservations/{reservation_id}`: give units back.

use cancel_reservation::CancelReservation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = CancelReservation::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
