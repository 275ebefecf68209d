//! The bootstrap of the payment saga's tasks: it serves the one that Lambda's `Handler` names.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve(saga_tasks::FUNCTIONS).await
}
