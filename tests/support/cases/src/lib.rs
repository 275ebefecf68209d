//! The sample events of each function, and its answers in each state of a purchase.
//!
//! Every function has one small table of cases, grouped as `functions/` is. `cargo xtask events` writes
//! `events/<function>/<case>.json` from the tables; a drift test compares the files with them. The bootstraps' tests
//! send every event and compare the answers.
// This is test code that several crates share: a panic here fails the test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc, clippy::must_use_candidate)]

mod case;
mod event;
mod expected;
mod gate;
mod http;
mod ids;
mod json;
mod operators;
mod prelude;
mod queue;
mod saga;
mod shoppers;
mod stream;
#[cfg(test)]
mod tests;
mod values;
mod webhooks;
mod workers;

pub use case::Case;
pub use event::Event;
pub use expected::{Answer, Expected, Units};
pub use http::{Caller, Request};
pub use stream::Change;
pub use values::CARD_NUMBER;

/// A function's table.
type Table = fn() -> Vec<Case>;

/// Each function by its name, with its table.
const TABLES: [(&str, Table); 41] = [
    ("authorize", gate::authorize::cases),
    ("cancel-reservation", shoppers::cancel_reservation::cases),
    ("checkout", shoppers::checkout::cases),
    ("get-challenge", shoppers::get_challenge::cases),
    ("get-draw", shoppers::get_draw::cases),
    ("get-inventory", shoppers::get_inventory::cases),
    ("get-order", shoppers::get_order::cases),
    ("get-reservation", shoppers::get_reservation::cases),
    ("get-sale", shoppers::get_sale::cases),
    ("list-sales", shoppers::list_sales::cases),
    ("pay", shoppers::pay::cases),
    ("place-order", shoppers::place_order::cases),
    ("reserve", shoppers::reserve::cases),
    ("change-sale-status", operators::change_sale_status::cases),
    ("end-holds", operators::end_holds::cases),
    ("get-sale-report", operators::get_sale_report::cases),
    ("health", operators::health::cases),
    ("list-orders", operators::list_orders::cases),
    ("manage-sale", operators::manage_sale::cases),
    ("refund-order", operators::refund_order::cases),
    ("restock-sale", operators::restock_sale::cases),
    ("await-action", saga::await_action::cases),
    ("capture-payment", saga::capture_payment::cases),
    ("charge-payment", saga::charge_payment::cases),
    ("complete-order", saga::complete_order::cases),
    ("fail-order", saga::fail_order::cases),
    ("notify-shopper", saga::notify_shopper::cases),
    ("refund-payment", saga::refund_payment::cases),
    ("sell-stock", saga::sell_stock::cases),
    ("take-back-stock", saga::take_back_stock::cases),
    ("receive-paypal", webhooks::receive_paypal::cases),
    ("receive-stripe", webhooks::receive_stripe::cases),
    ("expire-reservation", workers::expire_reservation::cases),
    ("feed-edge", workers::feed_edge::cases),
    ("publish-orders", workers::publish_orders::cases),
    ("reconcile", workers::reconcile::cases),
    ("refresh-availability", workers::refresh_availability::cases),
    ("release-stock", workers::release_stock::cases),
    ("schedule-expiry", workers::schedule_expiry::cases),
    ("settle-payment", workers::settle_payment::cases),
    ("start-payment", workers::start_payment::cases),
];

/// Every case of every function. A function's cases follow each other.
pub fn cases() -> Vec<Case> {
    TABLES.into_iter().flat_map(|(function, table)| table().into_iter().map(|case| case.of(function))).collect()
}
