//! Saga: sell the units of a charged order.

use parts::{FromParts, Parts};
use sell_stock::SellStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = SellStock::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
