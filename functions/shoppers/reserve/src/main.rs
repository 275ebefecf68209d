//! `POST /reserve-inventory`, `POST /add-to-cart`: hold units of a sale for one shopper.

use parts::{FromParts, Parts};
use reserve::Reserve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Reserve::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
