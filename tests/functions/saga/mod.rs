//! What the payment saga calls.

mod charge_payment;
mod complete_order;
mod fail_order;
mod notify_shopper;
mod refund_payment;
mod sell_stock;
mod take_back_stock;

use kit::TaskFunction;
use parts::FromParts;
use serde_json::Value;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

/// What a task answers: its output, or the name of its error.
type Answer = Result<Value, String>;

/// The sale `demo` with one purchase that has come to `stage`.
async fn at(stage: Stage) -> (Shop, Buyer) {
    (Shop::with(stage).await, Buyer::first())
}

/// Runs the task `F` in a new environment.
async fn run<F: FromParts + TaskFunction>(shop: &Shop, calls: &Calls, input: Value) -> Answer {
    test_shop::task(&shop.wire::<F>(calls), input).await
}

fn error(name: &str) -> Answer {
    Err(name.to_owned())
}
