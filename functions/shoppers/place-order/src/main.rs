//! `POST /api/flash-sales/{product_id}/order`: reserve and order in one call.

use parts::{FromParts, Parts};
use place_order::PlaceOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = PlaceOrder::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
