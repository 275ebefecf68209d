//! Tables of the functions that shoppers call through the API.

pub(crate) mod cancel_reservation;
pub(crate) mod checkout;
pub(crate) mod get_challenge;
pub(crate) mod get_draw;
pub(crate) mod get_inventory;
pub(crate) mod get_order;
pub(crate) mod get_reservation;
pub(crate) mod get_sale;
pub(crate) mod list_sales;
pub(crate) mod pay;
pub(crate) mod place_order;
pub(crate) mod reserve;
