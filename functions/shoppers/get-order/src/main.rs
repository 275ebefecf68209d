//! `GET /orders`, `GET /orders/{order_id}`: a shopper's orders.

use get_order::GetOrder;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = GetOrder::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
