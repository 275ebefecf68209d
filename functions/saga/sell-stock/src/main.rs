//! Saga: sell the units of a charged order.

use sell_stock::SellStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = SellStock::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
