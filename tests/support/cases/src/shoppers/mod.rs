//! Tables of the functions that shoppers call through the API.

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

use crate::Table;

pub(crate) const TABLES: [Table; 10] = [
    ("cancel-reservation", cancel_reservation::cases),
    ("checkout", checkout::cases),
    ("get-inventory", get_inventory::cases),
    ("get-order", get_order::cases),
    ("get-reservation", get_reservation::cases),
    ("get-sale", get_sale::cases),
    ("list-sales", list_sales::cases),
    ("pay", pay::cases),
    ("place-order", place_order::cases),
    ("reserve", reserve::cases),
];
