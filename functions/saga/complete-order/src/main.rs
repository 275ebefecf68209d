//! Saga: complete an order whose units are sold.

use complete_order::CompleteOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = CompleteOrder::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
