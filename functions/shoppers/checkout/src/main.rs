//! `POST /checkout`: order what is reserved.

use checkout::Checkout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Checkout::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
