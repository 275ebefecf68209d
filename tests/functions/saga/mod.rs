//! What the payment saga calls.

mod charge_payment;
mod complete_order;
mod fail_order;
mod notify_shopper;
mod refund_payment;
mod sell_stock;
mod take_back_stock;
