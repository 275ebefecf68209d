//! `GET /admin/flash-sales/{product_id}/report`: the exact figures of a sale.

use get_sale_report::GetSaleReport;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetSaleReport::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
