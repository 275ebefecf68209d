//! Stock stream: derive what readers know of the stock.

use refresh_availability::RefreshAvailability;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = RefreshAvailability::from_environment().await?;
    kit::serve_stream_batch(|records| function.handle(records)).await
}
