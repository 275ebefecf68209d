//! `GET /api/flash-sales/{product_id}`: one sale.

use get_sale::GetSale;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetSale::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
