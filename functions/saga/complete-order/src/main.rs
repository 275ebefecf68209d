//! Saga: complete an order whose units are sold.

use complete_order::CompleteOrder;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = CompleteOrder::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
