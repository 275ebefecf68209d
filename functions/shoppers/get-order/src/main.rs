//! `GET /orders`, `GET /orders/{order_id}`: a shopper's orders.

use get_order::GetOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetOrder::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
