//! `GET /api/flash-sales`: every sale.

use list_sales::ListSales;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ListSales::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
