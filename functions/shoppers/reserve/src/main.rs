//! `POST /reserve-inventory`, `POST /add-to-cart`: hold units of a sale for one shopper.

use reserve::Reserve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Reserve::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
