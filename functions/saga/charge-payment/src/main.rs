//! Saga: charge an order.

use charge_payment::ChargePayment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ChargePayment::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
