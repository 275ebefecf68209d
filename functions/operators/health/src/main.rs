//! `GET /health`: whether the service answers and, when asked, whether what it stands on answers too.

use health::Health;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let health = Health::from_environment().await?;
    kit::serve_http(|request| health.handle(request)).await
}
