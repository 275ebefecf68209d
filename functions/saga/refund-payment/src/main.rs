//! Saga: give the money of an order back.

use parts::{FromParts, Parts};
use refund_payment::RefundPayment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = RefundPayment::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
