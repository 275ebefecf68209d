//! `GET /inventory/{product_id}`: units left.

use get_inventory::GetInventory;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetInventory::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
