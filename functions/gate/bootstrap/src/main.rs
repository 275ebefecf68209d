//! The bootstrap of the functions that judge callers by signatures. It serves the function that Lambda's `Handler` names. Payment
//! providers do not come through the edge.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    parts::serve_from_anywhere(gate::FUNCTIONS).await
}
