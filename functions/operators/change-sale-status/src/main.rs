//! `POST /admin/flash-sales/{product_id}/pause`, `…/resume`, `…/close`: change a sale's status.

use change_sale_status::ChangeSaleStatus;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let function = ChangeSaleStatus::from_environment().await?;
    kit::serve_http(|request| function.handle(request)).await
}
