//! Tables of the functions that operators call through the API.

pub(crate) mod change_sale_status;
pub(crate) mod end_holds;
pub(crate) mod get_sale_report;
pub(crate) mod health;
pub(crate) mod list_orders;
pub(crate) mod manage_sale;
pub(crate) mod refund_order;
pub(crate) mod restock_sale;
