//! Saga: tell the shopper.

use notify_shopper::NotifyShopper;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = NotifyShopper::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::task(function)).await
}
