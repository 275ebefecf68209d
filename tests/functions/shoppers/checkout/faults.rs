//! Tables and queues fail, and processes die: nothing is lost, and nothing is made twice.

use checkout::Checkout;
use domain::{OrderStatus, ReservationStatus};
use test_aws::{Calls, event, every_crash, passing_faults};
use test_shop::{Buyer, Shop, Stage, brief, demo, tells_that_a_table_fails};

use crate::shoppers::{
    NOT_SENT,
    checkout::{function, message},
    cut_off_and_again,
};

/// Asserts that there is one order, pending with its first attempt, and that this attempt's message was sent.
async fn is_ordered_once(shop: &Shop, context: &str) {
    let (order, reservation) = (shop.order(&Buyer::first()).await, shop.reservation(&Buyer::first()).await.unwrap());
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 1), "{context}");
    assert_eq!(reservation.status, ReservationStatus::Paying, "{context}");
    assert_eq!(shop.units(&demo()).await, (99, 1, 0), "{context}");
    let sent = shop.orders_sent();
    assert!(!sent.is_empty() && sent.iter().all(|sent| *sent == message(&Buyer::first(), 1)), "{context}: {sent:?}");
}

#[tokio::test]
async fn a_queue_that_is_away_is_503_and_the_same_again_sends_the_message_half_a_minute_later() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    shop.queue.fail(true);
    let response = function.handle(event("checkout/ok.json")).await;
    assert_eq!(test_aws::told(&response), NOT_SENT);
    let after = shop.everything().await;
    assert_eq!(shop.order(&Buyer::first()).await.status, OrderStatus::Pending, "reconcile will find it");
    assert_eq!(brief(&function.handle(event("checkout/ok.json")).await), "202", "it asks no queue");
    assert_eq!((shop.everything().await, shop.orders_sent()), (after, vec![]));
    shop.clock.advance_seconds(30);
    assert_eq!(brief(&function.handle(event("checkout/ok.json")).await), "503 try-again", "the queue is still away");
    shop.queue.fail(false);
    shop.clock.advance_seconds(30);
    assert_eq!(brief(&function.handle(event("checkout/ok.json")).await), "202");
    is_ordered_once(&shop, "the queue is back").await;
    assert_eq!(shop.orders_sent(), [message(&Buyer::first(), 1)]);
}

#[tokio::test]
async fn one_fault_is_overcome_and_nothing_is_made_twice() {
    for (operation, fault) in passing_faults(&["GetItem", "TransactWriteItems", "SendMessage"]) {
        let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
        calls.fail_next(operation, fault);
        let response = function(&shop, &calls).handle(event("checkout/ok.json")).await;
        let context = format!("{operation} {fault:?}");
        assert_eq!(brief(&response), "202", "{context}");
        is_ordered_once(&shop, &context).await;
    }
}

#[tokio::test]
async fn a_fault_that_stays_is_503_and_the_same_again_finishes_it() {
    for (operation, fault) in passing_faults(&["GetItem", "TransactWriteItems", "SendMessage"]) {
        let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
        let function = function(&shop, &calls);
        calls.fail_always(operation, fault);
        let context = format!("{operation} {fault:?}");
        assert_eq!(brief(&function.handle(event("checkout/ok.json")).await), "503 try-again", "{context}");
        calls.heal();
        shop.clock.advance_seconds(30);
        assert_eq!(brief(&function.handle(event("checkout/ok.json")).await), "202", "{context}");
        is_ordered_once(&shop, &context).await;
    }
}

#[tokio::test]
async fn a_table_that_refuses_is_500_and_says_nothing_of_itself() {
    let calls = Calls::new();
    let ask = async || function(&Shop::with(Stage::Held).await, &calls).handle(event("checkout/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem", "TransactWriteItems"], ask).await;
}

#[tokio::test]
async fn a_process_may_die_at_any_request_and_the_same_again_finishes_it() {
    every_crash(async |calls| {
        let shop = Shop::with(Stage::Held).await;
        let (first, again) = cut_off_and_again::<Checkout>(&shop, calls, "checkout/ok").await;
        assert_eq!(brief(&again), "202", "after {first}");
        is_ordered_once(&shop, &first).await;
    })
    .await;
}
