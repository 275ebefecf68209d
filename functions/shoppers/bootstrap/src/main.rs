//! The bootstrap of the functions that shoppers call: it serves the one that Lambda's `Handler` names.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve(shoppers::FUNCTIONS).await
}
