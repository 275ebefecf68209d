//! What shoppers call.

mod cancel_reservation;
mod checkout;
mod get_inventory;
mod get_order;
mod get_reservation;
mod get_sale;
mod list_sales;
mod pay;
mod place_order;
mod reserve;
