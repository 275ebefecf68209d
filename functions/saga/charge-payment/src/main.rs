//! Saga: charge an order.

use charge_payment::ChargePayment;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ChargePayment::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
