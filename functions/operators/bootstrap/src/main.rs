//! The bootstrap of the functions that operators and their monitoring call. It serves the function that Lambda's `Handler` names.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve(operators::FUNCTIONS).await
}
