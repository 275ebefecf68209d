//! Saga: make the units of an order available again.

use take_back_stock::TakeBackStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = TakeBackStock::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
