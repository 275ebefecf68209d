//! `GET /api/flash-sales/{product_id}`: one sale.

use get_sale::GetSale;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetSale::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
