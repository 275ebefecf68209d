//! `POST /payment`: pay an order.

use pay::Pay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Pay::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
