//! Orders queue: start the payment saga of each order.

use parts::{FromParts, Parts};
use start_payment::StartPayment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = StartPayment::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::queue(function)).await
}
