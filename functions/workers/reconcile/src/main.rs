//! Every minute: find and finish whatever was left half-way.

use reconcile::Reconcile;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Reconcile::from_environment().await?;
    kit::serve_scheduled(|until| function.handle(until)).await
}
