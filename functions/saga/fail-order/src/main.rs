//! Saga: end an attempt without a purchase.

use fail_order::FailOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = FailOrder::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
