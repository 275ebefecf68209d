//! `POST /api/flash-sales/{product_id}/order`: reserve and order in one call.

use place_order::PlaceOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = PlaceOrder::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
