//! The registry of the functions that operators and their monitoring call over HTTP.

use change_sale_status::ChangeSaleStatus;
use end_holds::EndHolds;
use get_sale_report::GetSaleReport;
use health::Health;
use kit::Function;
use list_orders::ListOrders;
use manage_sale::ManageSale;
use parts::{FromParts, Registry};
use refund_order::RefundOrder;
use restock_sale::RestockSale;

/// The functions by name, each with its trigger.
pub const FUNCTIONS: Registry = &[
    ("change-sale-status", |parts| ChangeSaleStatus::wire(parts).map(Function::http)),
    ("end-holds", |parts| EndHolds::wire(parts).map(Function::http)),
    ("get-sale-report", |parts| GetSaleReport::wire(parts).map(Function::http)),
    ("health", |parts| Health::wire(parts).map(Function::http)),
    ("list-orders", |parts| ListOrders::wire(parts).map(Function::http)),
    ("manage-sale", |parts| ManageSale::wire(parts).map(Function::http)),
    ("refund-order", |parts| RefundOrder::wire(parts).map(Function::http)),
    ("restock-sale", |parts| RestockSale::wire(parts).map(Function::http)),
];
