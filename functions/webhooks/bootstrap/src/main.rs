//! The bootstrap of the functions that payment providers call. It serves the function that Lambda's `Handler` names.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve_from_anywhere(webhooks::FUNCTIONS).await
}
