//! The bootstrap of the functions that queues, streams and a schedule invoke: it serves the one that Lambda's `Handler` names.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve(workers::FUNCTIONS).await
}
