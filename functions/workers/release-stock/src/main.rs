//! Reservation stream: release the units of holds that have ended.

use release_stock::ReleaseStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ReleaseStock::from_environment().await?;
    kit::serve_stream(|record| function.handle(record)).await
}
