//! The functions that the payment saga calls.
#![expect(clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

mod await_action;
mod capture_payment;
mod charge_payment;
mod complete_order;
mod fail_order;
mod notify_shopper;
mod refund_payment;
mod sell_stock;
mod take_back_stock;

use std::fmt::Debug;

use kit::TaskFunction;
use parts::FromParts;
use serde_json::Value;
use test_aws::{Calls, Fault};
use test_shop::{Buyer, Shop, Stage};

/// What a task answers: its output, or the name of its error.
type Answer = Result<Value, String>;

/// The sale `demo` with one purchase at `stage`.
async fn at(stage: Stage) -> (Shop, Buyer) {
    (Shop::with(stage).await, Buyer::first())
}

/// The input of a sample event: `sell-stock/ok`.
fn input(event: &str) -> Value {
    test_aws::event_value(&format!("{event}.json"))
}

/// The same input, for another shopper.
fn input_of(shopper: &str, event: &str) -> Value {
    let mut input = input(event);
    input["shopper"] = shopper.into();
    input
}

/// Runs the task `F` in a new environment.
async fn run<F: FromParts + TaskFunction>(shop: &Shop, calls: &Calls, input: Value) -> Answer {
    test_shop::task(&shop.wire::<F>(calls), input).await
}

/// Runs the task `F` on a sample event.
async fn on<F: FromParts + TaskFunction>(shop: &Shop, event: &str) -> Answer {
    run::<F>(shop, &Calls::new(), input(event)).await
}

fn error(name: &str) -> Answer {
    Err(name.to_owned())
}

/// Runs the task as far as `calls` let it, and again in a healthy process. Returns both answers.
async fn cut_off_and_again<F: FromParts + TaskFunction>(shop: &Shop, calls: &Calls, event: &str) -> (Answer, Answer) {
    let died = run::<F>(shop, calls, input(event)).await;
    calls.heal();
    (died, run::<F>(shop, calls, input(event)).await)
}

/// Asserts that the task answers `expected` each time it runs, and changes nothing.
async fn changes_nothing<F: FromParts + TaskFunction>(shop: &Shop, input: Value, expected: Answer, case: impl Debug) {
    let before = shop.everything().await;
    for _ in 0..2 {
        assert_eq!(run::<F>(shop, &Calls::new(), input.clone()).await, expected, "{case:?}");
    }
    assert_eq!(shop.everything().await, before, "{case:?}");
}

/// Asserts that the task cannot read these sample events: it answers `MalformedTask`, makes no request and changes nothing.
async fn cannot_read<F: FromParts + TaskFunction>(shop: &Shop, events: &[&str]) {
    let (before, calls) = (shop.everything().await, Calls::new());
    for event in events {
        assert_eq!(run::<F>(shop, &calls, input(event)).await, error("MalformedTask"), "{event}");
    }
    assert_eq!((shop.everything().await, calls.total()), (before, 0));
}

/// Asserts the error that the state machine gets while one of these store operations keeps failing, with each kind of fault. The
/// error says whether another try is worthwhile. Then the store works again, and the same task answers `afterwards`.
async fn tells_how_the_store_fails<F: FromParts + TaskFunction>(
    (stage, event): (Stage, &str),
    operations: &[&str],
    afterwards: Answer,
) {
    for operation in operations {
        for fault in Fault::ALL {
            let (shop, calls) = (Shop::with(stage).await, Calls::new());
            calls.fail_always(operation, fault);
            let told = error(if fault == Fault::Denied { "StoreFailed" } else { "StoreUnavailable" });
            let answers = cut_off_and_again::<F>(&shop, &calls, event).await;
            assert_eq!(answers, (told, afterwards.clone()), "{event}: {operation} {fault:?}");
        }
    }
}
