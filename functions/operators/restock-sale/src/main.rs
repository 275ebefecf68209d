//! `POST /admin/flash-sales/{product_id}/restock`: add units to a sale.

use parts::{FromParts, Parts};
use restock_sale::RestockSale;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = RestockSale::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
