//! `GET /api/flash-sales`: every sale.

use list_sales::ListSales;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ListSales::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
