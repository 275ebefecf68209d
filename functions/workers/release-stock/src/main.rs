//! Reservation stream: release the units of holds that have ended.

use parts::{FromParts, Parts};
use release_stock::ReleaseStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ReleaseStock::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::stream(function)).await
}
