//! `POST /payment`: pay an order.

use parts::{FromParts, Parts};
use pay::Pay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Pay::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
