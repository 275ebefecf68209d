//! `POST /checkout`: order what is reserved.

use checkout::Checkout;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Checkout::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
