//! `PUT /admin/flash-sales/{product_id}`: make or change a sale.

use manage_sale::ManageSale;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ManageSale::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
