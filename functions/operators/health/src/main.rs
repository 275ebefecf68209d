//! `GET /health`: whether the service answers and, when asked, whether what it stands on answers too.

use health::Health;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = Health::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
