//! `GET /inventory/{product_id}`: units left.

use get_inventory::GetInventory;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetInventory::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
