//! Stock stream: derive what readers know of the stock.

use parts::{FromParts, Parts};
use refresh_availability::RefreshAvailability;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = RefreshAvailability::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::stream_batch(function)).await
}
