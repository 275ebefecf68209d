//! Saga: end an attempt without a purchase.

use fail_order::FailOrder;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = FailOrder::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
