//! Saga: make the units of an order available again.

use parts::{FromParts, Parts};
use take_back_stock::TakeBackStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = TakeBackStock::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
