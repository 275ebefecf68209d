//! Orders queue: start the payment saga of each order.

use start_payment::StartPayment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = StartPayment::from_environment().await?;
    kit::serve_sqs(|message| function.handle(message)).await
}
