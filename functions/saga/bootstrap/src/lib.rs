//! The registry of the payment saga's tasks, which Step Functions invokes.

use await_action::AwaitAction;
use capture_payment::CapturePayment;
use charge_payment::ChargePayment;
use complete_order::CompleteOrder;
use fail_order::FailOrder;
use kit::Function;
use notify_shopper::NotifyShopper;
use parts::{FromParts, Registry};
use refund_payment::RefundPayment;
use sell_stock::SellStock;
use take_back_stock::TakeBackStock;

/// Each function by its name, with its trigger.
pub const FUNCTIONS: Registry = &[
    ("await-action", |parts| AwaitAction::wire(parts).map(Function::task)),
    ("capture-payment", |parts| CapturePayment::wire(parts).map(Function::task)),
    ("charge-payment", |parts| ChargePayment::wire(parts).map(Function::task)),
    ("complete-order", |parts| CompleteOrder::wire(parts).map(Function::task)),
    ("fail-order", |parts| FailOrder::wire(parts).map(Function::task)),
    ("notify-shopper", |parts| NotifyShopper::wire(parts).map(Function::task)),
    ("refund-payment", |parts| RefundPayment::wire(parts).map(Function::task)),
    ("sell-stock", |parts| SellStock::wire(parts).map(Function::task)),
    ("take-back-stock", |parts| TakeBackStock::wire(parts).map(Function::task)),
];
