//! Tables and queues fail, and processes die: nothing is lost, and nothing is held or ordered twice.

use domain::OrderStatus;
use kit::Response;
use place_order::PlaceOrder;
use schedule_expiry::ScheduleExpiry;
use test_aws::{Calls, Fault, event, every_crash, passing_faults};
use test_shop::{Shop, brief, demo, stream_batch, tells_that_a_table_fails};

use crate::shoppers::{
    NOT_SENT, cut_off_and_again,
    place_order::{function, message, order_of, without_bucket},
};

/// Asserts that one unit is held for one order, which is pending with its first attempt, and that the attempt's message was sent.
async fn is_ordered_once(shop: &Shop, response: &Response, context: &str) {
    let order = order_of(shop, response).await;
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 1), "{context}");
    let reservation = shop.uncounted().reservations().get(&order.shopper, &demo()).await.unwrap().unwrap();
    assert_eq!((reservation.id, shop.units(&demo()).await), (order.id.clone(), (99, 1, 0)), "{context}");
    let sent = shop.orders_sent();
    assert!(!sent.is_empty() && sent.iter().all(|sent| *sent == message(&order)), "{context}: {sent:?}");
}

#[tokio::test]
async fn a_queue_that_is_away_is_503_and_the_same_again_sends_the_message() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    shop.queue.fail(true);
    let response = function.handle(event("place-order/ok.json")).await;
    assert_eq!(without_bucket(&response), NOT_SENT);
    shop.queue.fail(false);
    shop.clock.advance_seconds(30);
    let response = function.handle(event("place-order/ok.json")).await;
    assert_eq!(brief(&response), "202");
    is_ordered_once(&shop, &response, "the queue is back").await;
    assert_eq!(shop.orders_sent().len(), 1);
}

/// Until the queue takes the message, TTL and `reconcile` would end the hold.
#[tokio::test]
async fn an_end_that_could_not_be_scheduled_does_not_spoil_the_order_and_is_scheduled_later() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let response = function(&shop, &Calls::new()).handle(event("place-order/ok.json")).await;
    let (schedule, records) = (shop.wire::<ScheduleExpiry>(&calls), shop.dynamo.reservation_event());
    // All three tries of the SDK fail.
    (0..3).for_each(|_| calls.fail_next("SendMessageBatch", Fault::ServerError));
    assert!(stream_batch(&schedule, records.clone()).await.is_some());
    assert_eq!((brief(&response), shop.expiries_sent().len()), ("202".to_owned(), 0));
    is_ordered_once(&shop, &response, "no expiry").await;
    assert_eq!(stream_batch(&schedule, records).await, None);
    assert_eq!(shop.expiries_sent().len(), 1);
}

#[tokio::test]
async fn one_fault_is_overcome_and_nothing_is_made_twice() {
    for (operation, fault) in passing_faults(&["GetItem", "UpdateItem", "PutItem", "TransactWriteItems", "SendMessage"]) {
        let (shop, calls) = (Shop::open().await, Calls::new());
        calls.fail_next(operation, fault);
        let response = function(&shop, &calls).handle(event("place-order/ok.json")).await;
        let context = format!("{operation} {fault:?}");
        assert_eq!(brief(&response), "202", "{context}");
        is_ordered_once(&shop, &response, &context).await;
    }
}

#[tokio::test]
async fn a_table_that_refuses_is_500_and_says_nothing_of_itself() {
    let calls = Calls::new();
    let ask = async || function(&Shop::open().await, &calls).handle(event("place-order/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem", "UpdateItem", "PutItem", "TransactWriteItems"], ask).await;
}

#[tokio::test]
async fn a_process_may_die_at_any_request_and_the_same_again_finishes_it() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        let (first, again) = cut_off_and_again::<PlaceOrder>(&shop, calls, "place-order/ok").await;
        assert_eq!(brief(&again), "202", "after {first}");
        is_ordered_once(&shop, &again, &first).await;
    })
    .await;
}

#[tokio::test]
async fn a_process_may_die_at_any_request_also_when_the_payment_comes_later() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        let (first, again) = cut_off_and_again::<PlaceOrder>(&shop, calls, "place-order/no-body").await;
        assert_eq!(brief(&again), "202", "after {first}");
        let order = order_of(&shop, &again).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::AwaitingPayment, 1));
        assert_eq!((shop.units(&demo()).await, shop.orders_sent().len()), ((99, 1, 0), 0));
    })
    .await;
}
