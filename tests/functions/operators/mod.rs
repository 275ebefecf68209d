//! The functions that operators call.

mod change_sale_status;
mod end_holds;
mod get_sale_report;
mod health;
mod list_orders;
mod manage_sale;
mod restock_sale;
mod sample_events;
