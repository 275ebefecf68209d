//! `POST /admin/flash-sales/{product_id}/restock`: add units to a sale.

use restock_sale::RestockSale;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = RestockSale::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
