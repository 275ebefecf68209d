//! `POST /admin/flash-sales/{product_id}/pause`, `…/resume`, `…/close`: change a sale's status.

use change_sale_status::ChangeSaleStatus;
use parts::{FromParts, Parts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ChangeSaleStatus::wire(&mut Parts::deployed().await)?;
    kit::serve(kit::Function::http(function)).await
}
