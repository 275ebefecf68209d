//! The bootstrap of the functions that API Gateway asks about a request. It serves the function that Lambda's `Handler` names.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve(gate::FUNCTIONS).await
}
