//! The registry of the functions that shoppers call over HTTP.

use cancel_reservation::CancelReservation;
use checkout::Checkout;
use get_challenge::GetChallenge;
use get_draw::GetDraw;
use get_inventory::GetInventory;
use get_order::GetOrder;
use get_reservation::GetReservation;
use get_sale::GetSale;
use kit::Function;
use list_sales::ListSales;
use parts::{FromParts, Registry};
use pay::Pay;
use place_order::PlaceOrder;
use reserve::Reserve;

/// The functions by name, each with its trigger.
pub const FUNCTIONS: Registry = &[
    ("cancel-reservation", |parts| CancelReservation::wire(parts).map(Function::http)),
    ("checkout", |parts| Checkout::wire(parts).map(Function::http)),
    ("get-challenge", |parts| GetChallenge::wire(parts).map(Function::http)),
    ("get-draw", |parts| GetDraw::wire(parts).map(Function::http)),
    ("get-inventory", |parts| GetInventory::wire(parts).map(Function::http)),
    ("get-order", |parts| GetOrder::wire(parts).map(Function::http)),
    ("get-reservation", |parts| GetReservation::wire(parts).map(Function::http)),
    ("get-sale", |parts| GetSale::wire(parts).map(Function::http)),
    ("list-sales", |parts| ListSales::wire(parts).map(Function::http)),
    ("pay", |parts| Pay::wire(parts).map(Function::http)),
    ("place-order", |parts| PlaceOrder::wire(parts).map(Function::http)),
    ("reserve", |parts| Reserve::wire(parts).map(Function::http)),
];
