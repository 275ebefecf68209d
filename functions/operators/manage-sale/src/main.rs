//! `PUT /admin/flash-sales/{product_id}`: make or change a sale.

use manage_sale::ManageSale;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ManageSale::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
