//! Saga: tell the shopper.

use notify_shopper::NotifyShopper;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = NotifyShopper::from_environment().await?;
    kit::serve_task(|task| function.handle(task)).await
}
