//! Every minute: find and finish whatever was left half-way.

use parts::{FromParts, Parts};
use reconcile::Reconcile;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Reconcile::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::schedule(function)).await
}
