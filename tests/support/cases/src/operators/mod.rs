//! Tables of the functions that operators call through the API.

mod change_sale_status;
mod get_sale_report;
mod health;
mod manage_sale;
mod restock_sale;

use crate::Table;

pub(crate) const TABLES: [Table; 5] = [
    ("change-sale-status", change_sale_status::cases),
    ("get-sale-report", get_sale_report::cases),
    ("health", health::cases),
    ("manage-sale", manage_sale::cases),
    ("restock-sale", restock_sale::cases),
];
