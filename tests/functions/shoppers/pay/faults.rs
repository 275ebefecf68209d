//! Tables and queues fail, and processes die: no attempt is lost, and none is made twice.

use domain::OrderStatus;
use pay::Pay;
use test_aws::{Calls, event, every_crash, passing_faults};
use test_shop::{Buyer, Shop, Stage, brief, tells_that_a_table_fails};

use crate::shoppers::{
    NOT_SENT, cut_off_and_again,
    pay::{function, message},
};

/// Asserts that the order is pending with its first attempt, and that this attempt's message was sent.
async fn is_started_once(shop: &Shop, context: &str) {
    let order = shop.order(&Buyer::first()).await;
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 2), "{context}");
    let sent = shop.orders_sent();
    assert!(!sent.is_empty() && sent.iter().all(|sent| *sent == message(1)), "{context}: {sent:?}");
}

#[tokio::test]
async fn a_queue_that_is_away_is_503_and_the_same_again_sends_the_message() {
    let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
    let function = function(&shop, &calls);
    shop.queue.fail(true);
    let response = function.handle(event("pay/ok.json")).await;
    assert_eq!(test_aws::told(&response), NOT_SENT);
    assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "409 payment-in-progress", "it asks no queue");
    shop.clock.advance_seconds(30);
    assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "503 try-again", "still");
    shop.queue.fail(false);
    shop.clock.advance_seconds(30);
    assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "409 payment-in-progress");
    assert_eq!(shop.orders_sent(), [message(1)]);
    is_started_once(&shop, "the queue is back").await;
}

#[tokio::test]
async fn one_fault_is_overcome_and_nothing_is_made_twice() {
    for (operation, fault) in passing_faults(&["GetItem", "TransactWriteItems", "SendMessage"]) {
        let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
        calls.fail_next(operation, fault);
        let context = format!("{operation} {fault:?}");
        assert_eq!(brief(&function(&shop, &calls).handle(event("pay/ok.json")).await), "202", "{context}");
        is_started_once(&shop, &context).await;
    }
}

#[tokio::test]
async fn a_fault_that_stays_is_503_and_the_same_again_goes_on() {
    for (operation, fault) in passing_faults(&["GetItem", "TransactWriteItems", "SendMessage"]) {
        let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
        let function = function(&shop, &calls);
        calls.fail_always(operation, fault);
        let context = format!("{operation} {fault:?}");
        assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "503 try-again", "{context}");
        calls.heal();
        shop.clock.advance_seconds(30);
        let again = brief(&function.handle(event("pay/ok.json")).await);
        assert!(matches!(again.as_str(), "202" | "409 payment-in-progress"), "{context}: {again}");
        is_started_once(&shop, &context).await;
    }
}

#[tokio::test]
async fn a_table_that_refuses_is_500_and_says_nothing_of_itself() {
    let calls = Calls::new();
    let ask = async || function(&Shop::with(Stage::Waiting).await, &calls).handle(event("pay/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem", "TransactWriteItems"], ask).await;
}

#[tokio::test]
async fn a_process_may_die_at_any_request_and_the_same_again_goes_on() {
    every_crash(async |calls| {
        let shop = Shop::with(Stage::Waiting).await;
        let (first, again) = cut_off_and_again::<Pay>(&shop, calls, "pay/ok").await;
        assert!(matches!(brief(&again).as_str(), "202" | "409 payment-in-progress"), "{first}, then {}", brief(&again));
        is_started_once(&shop, &first).await;
    })
    .await;
}
