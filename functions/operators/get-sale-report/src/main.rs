//! `GET /admin/flash-sales/{product_id}/report`: the exact figures of a sale.

use get_sale_report::GetSaleReport;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetSaleReport::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
