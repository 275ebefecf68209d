//! Saga: give the money of an order back.

use refund_payment::RefundPayment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = RefundPayment::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
