//! `POST /payment` on sample events.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod amounts;
mod faults;
mod refusals;
mod waiting;

use domain::{OrderStatus, ReservationStatus};
use insta::assert_snapshot;
use pay::Pay;
use serde_json::{Value, json};
use test_aws::{Calls, RequestBuilder, event};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo};

fn function(shop: &Shop, calls: &Calls) -> Judged<Pay> {
    shop.wire(calls)
}

fn good_body(buyer: &Buyer) -> Value {
    json!({"order_id": buyer.id, "payment_method": "sandbox:ok", "amount": "999.00"})
}

/// A payment of the first buyer's order.
fn request() -> RequestBuilder {
    let buyer = Buyer::first();
    test_aws::request("POST", "/payment").shopper(buyer.shopper.as_str()).json(&good_body(&buyer))
}

fn message(attempt: u32) -> Value {
    json!({"order_id": Buyer::first().id, "shopper": Buyer::first().shopper, "attempt": attempt})
}

#[tokio::test]
async fn a_payment_is_one_read_one_transaction_and_one_message() {
    let (shop, calls, buyer) = (Shop::with(Stage::Waiting).await, Calls::new(), Buyer::first());
    assert_snapshot!(shop.told_with::<Pay>(&calls, "pay/ok").await, @r#"
    202 Accepted
    {"order_status":"pending","payment_status":"pending","success":true}
    "#);
    let counted = ["GetItem", "TransactWriteItems", "SendMessage"].map(|operation| calls.count(operation));
    assert_eq!((counted, calls.total()), ([1, 1, 1], 3));
    assert_eq!(shop.orders_sent(), [message(1)]);
    let order = shop.order(&buyer).await;
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 2));
    assert_eq!(order.payment_method.unwrap().as_str(), "sandbox:ok");
    assert_eq!(order.shipping_address, buyer.order(domain::OrderStep::Placed).shipping_address, "it stays");
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
    assert_eq!(shop.ttl(&buyer).await, None, "time alone ends it no more");
    assert_eq!(shop.units(&demo()).await, (99, 1, 0));
}

#[tokio::test]
async fn after_a_decline_another_method_is_the_next_attempt() {
    let shop = Shop::with(Stage::WaitingAgain).await;
    let mut body = good_body(&Buyer::first());
    body["payment_method"] = json!("sandbox:timeout-then-ok");
    let response = function(&shop, &Calls::new()).handle(request().json(&body).build()).await;
    assert_eq!((brief(&response), shop.orders_sent()), ("202".to_owned(), vec![message(2)]));
    let order = shop.order(&Buyer::first()).await;
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 2, 3));
    assert_eq!(order.payment_method.unwrap().as_str(), "sandbox:timeout-then-ok");
}

#[tokio::test]
async fn the_same_again_is_409_and_is_sent_again_once_in_half_a_minute() {
    for (stage, attempt) in [(Stage::Waiting, 1), (Stage::WaitingAgain, 2)] {
        let (shop, calls) = (Shop::with(stage).await, Calls::new());
        let function = function(&shop, &calls);
        assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "202");
        let after = shop.everything().await;
        for (seconds, requests, messages) in [(29, 2, 1), (1, 4, 2), (29, 2, 2), (1, 4, 3)] {
            shop.clock.advance_seconds(seconds);
            calls.reset();
            assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "409 payment-in-progress");
            assert_eq!((calls.count("GetItem"), calls.total()), (2, requests));
            for _ in 0..10 {
                assert_eq!(brief(&function.handle(event("pay/ok.json")).await), "409 payment-in-progress");
            }
            assert_eq!(shop.orders_sent(), vec![message(attempt); messages]);
            assert!(messages > 1 || shop.everything().await == after);
        }
    }
}

#[tokio::test]
async fn two_payments_at_once_are_one_attempt() {
    let shop = Shop::with(Stage::Waiting).await;
    let (one, two) = (function(&shop, &Calls::new()), function(&shop, &Calls::new()));
    let (first, second) = tokio::join!(one.handle(request().build()), two.handle(request().build()));
    let mut answers = [brief(&first), brief(&second)];
    answers.sort();
    assert_eq!(answers, ["202", "409 payment-in-progress"]);
    let order = shop.order(&Buyer::first()).await;
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 2));
    assert!(shop.orders_sent().iter().all(|sent| *sent == message(1)));
}
