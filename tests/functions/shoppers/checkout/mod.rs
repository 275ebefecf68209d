//! `POST /checkout` on sample events.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod addresses;
mod changes;
mod faults;
mod refusals;

use checkout::Checkout;
use domain::{OrderStatus, ReservationStatus};
use insta::assert_snapshot;
use kit::Response;
use serde_json::{Value, json};
use test_aws::{Calls, RequestBuilder, event, every_interleaving};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo};

fn function(shop: &Shop, calls: &Calls) -> Judged<Checkout> {
    shop.wire(calls)
}

fn good_body(cart: &str) -> Value {
    json!({
        "cart_id": cart,
        "payment_method": "sandbox:ok",
        "shipping_address": {"address_line1": "1 Market Street", "city": "Springfield", "postal_code": "49007", "country": "US"},
    })
}

/// The members of an address, each with the most characters that it may have.
const LONGEST: [(&str, usize); 8] = [
    ("name", 100),
    ("address_line1", 200),
    ("address_line2", 200),
    ("city", 100),
    ("state", 100),
    ("postal_code", 20),
    ("country", 60),
    ("phone", 40),
];

/// A checkout of `buyer`'s cart.
fn request(buyer: &Buyer) -> RequestBuilder {
    test_aws::request("POST", "/checkout").shopper(buyer.shopper.as_str()).json(&good_body(&buyer.id.to_string()))
}

/// The parts of the answer that do not differ from request to request.
fn answer(response: &Response) -> (String, Value) {
    (brief(response), test_shop::body(response))
}

fn message(buyer: &Buyer, attempt: u32) -> Value {
    json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": attempt})
}

#[tokio::test]
async fn a_checkout_is_two_reads_one_transaction_and_one_message() {
    let (shop, calls, buyer) = (Shop::with(Stage::Held).await, Calls::new(), Buyer::first());
    assert_snapshot!(shop.told_with::<Checkout>(&calls, "checkout/ok").await, @r#"
    202 Accepted
    location: orders/demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D
    {"inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"pending",
     "payment_options":[{"account":"sandbox","provider":"sandbox"}],"payment_status":"pending","quantity":1}
    "#);
    let counted = ["GetItem", "TransactWriteItems", "SendMessage"].map(|operation| calls.count(operation));
    assert_eq!((counted, calls.total()), ([2, 1, 1], 4));
    assert_eq!(shop.orders_sent(), [message(&buyer, 1)]);
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
    assert_eq!(shop.ttl(&buyer).await, None, "time alone ends it no more");
    assert_eq!(shop.units(&demo()).await, (99, 1, 0));
}

#[tokio::test]
async fn the_order_has_what_was_asked_for_and_costs_what_the_sale_says() {
    let (shop, buyer) = (Shop::open().await, Buyer::second());
    shop.bring(&buyer, Stage::Held).await;
    let response = function(&shop, &Calls::new()).handle(request(&buyer).build()).await;
    assert_eq!(brief(&response), "202");
    let order = shop.order(&buyer).await;
    assert_eq!((order.amount.to_string(), order.quantity.units(), order.attempt), ("1998.00 USD".to_owned(), 2, 1));
    assert_eq!(order.payment_method.unwrap().as_str(), "sandbox:ok");
    assert_eq!(order.shipping_address, Some(test_shop::address()));
    assert_eq!((order.created_at, order.pay_by), (shop.now(), buyer.reservation().expires_at));
}

#[tokio::test]
async fn the_same_again_is_answered_the_same_and_is_sent_again_once_in_half_a_minute() {
    let (shop, calls, buyer) = (Shop::with(Stage::Held).await, Calls::new(), Buyer::first());
    let function = function(&shop, &calls);
    let first = test_aws::told(&function.handle(event("checkout/ok.json")).await);
    let after = shop.everything().await;
    shop.clock.advance_seconds(29);
    for _ in 0..10 {
        calls.reset();
        assert_eq!(test_aws::told(&function.handle(event("checkout/ok.json")).await), first);
        assert_eq!((calls.count("GetItem"), calls.total()), (3, 3));
    }
    assert_eq!(shop.everything().await, after);
    assert_eq!(shop.orders_sent(), [message(&buyer, 1)]);
    for messages in 2..=3 {
        shop.clock.advance_seconds(30);
        calls.reset();
        assert_eq!(test_aws::told(&function.handle(event("checkout/ok.json")).await), first);
        let counted = ["GetItem", "UpdateItem", "SendMessage"].map(|operation| calls.count(operation));
        assert_eq!((counted, calls.total()), ([3, 1, 1], 5));
        for _ in 0..10 {
            assert_eq!(test_aws::told(&function.handle(event("checkout/ok.json")).await), first);
        }
        assert_eq!(shop.orders_sent(), vec![message(&buyer, 1); messages], "an attempt is paid once, however often it is sent");
    }
}

#[tokio::test]
async fn of_many_repetitions_at_once_one_sends_the_order_again() {
    for (stage, attempt) in [(Stage::Pending, 1), (Stage::Sold, 1), (Stage::PayingAgain, 2)] {
        every_interleaving(async |interleaving| {
            let (shop, buyer) = (Shop::with(stage).await, Buyer::first());
            shop.clock.advance_seconds(30);
            let (here, there) = (function(&shop, &interleaving.calls), function(&shop, &Calls::new()));
            let (first, second) =
                interleaving.run(here.handle(request(&buyer).build()), there.handle(request(&buyer).build())).await;
            assert_eq!((brief(&first), brief(&second)), ("202".to_owned(), "202".to_owned()));
            assert_eq!(shop.orders_sent(), [message(&buyer, attempt)], "{stage:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn again_later_it_tells_how_the_same_order_stands() {
    for (stage, status, statuses) in [
        (Stage::Pending, 202, "pending pending confirmed"),
        (Stage::Sold, 202, "pending pending confirmed"),
        (Stage::Completed, 200, "completed completed confirmed"),
        (Stage::WaitingAgain, 202, "awaiting_payment failed held"),
        (Stage::PayingAgain, 202, "pending pending confirmed"),
        (Stage::Failed, 200, "failed failed released"),
        (Stage::Refunded, 200, "refunded refunded released"),
        (Stage::RefundPending, 200, "failed refund_pending confirmed"),
    ] {
        let shop = Shop::with(stage).await;
        // The first attempts began at 12:00:00.
        shop.clock.set("2026-11-01T12:00:29Z");
        let before = shop.everything().await;
        let response = shop.ask::<Checkout>("checkout/ok").await;
        let body = test_shop::body(&response);
        let found = ["order_status", "payment_status", "inventory_status"].map(|name| body[name].as_str().unwrap().to_owned());
        assert_eq!((response.status().as_u16(), found.join(" ").as_str()), (status, statuses), "{stage:?}");
        assert_eq!(body["order_id"], json!(Buyer::first().id), "{stage:?}");
        assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{stage:?}");
    }
}

#[tokio::test]
async fn an_order_that_was_placed_without_a_payment_method_is_paid_with_the_one_that_comes() {
    let (shop, buyer) = (Shop::with(Stage::Waiting).await, Buyer::first());
    for _ in 0..2 {
        let response = function(&shop, &Calls::new()).handle(request(&buyer).build()).await;
        assert_eq!(brief(&response), "202");
        assert_eq!(test_shop::body(&response)["order_status"], "pending");
    }
    let order = shop.order(&buyer).await;
    assert_eq!((order.status, order.attempt, order.payment_method), (OrderStatus::Pending, 1, Some(buyer.method.clone())));
    assert_eq!(order.shipping_address.unwrap().city, "Springfield");
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
    assert_eq!(shop.orders_sent(), [message(&buyer, 1)]);
}

#[tokio::test]
async fn an_order_that_waits_is_taken_to_payment_once_wherever_another_request_hangs() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = (Shop::with(Stage::Waiting).await, Buyer::first());
        let (here, there) = (function(&shop, &interleaving.calls), function(&shop, &Calls::new()));
        let (first, second) = interleaving.run(here.handle(request(&buyer).build()), there.handle(request(&buyer).build())).await;
        assert_eq!((brief(&first), answer(&first)), ("202".to_owned(), answer(&second)));
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 2));
        assert!(shop.orders_sent().iter().all(|sent| *sent == message(&buyer, 1)));
    })
    .await;
}

#[tokio::test]
async fn two_checkouts_of_a_cart_at_once_make_one_order() {
    let (shop, buyer) = (Shop::with(Stage::Held).await, Buyer::first());
    let (one, two) = (function(&shop, &Calls::new()), function(&shop, &Calls::new()));
    let (first, second) = tokio::join!(one.handle(request(&buyer).build()), two.handle(request(&buyer).build()));
    assert_eq!((brief(&first), answer(&first)), ("202".to_owned(), answer(&second)));
    let order = shop.order(&buyer).await;
    assert_eq!((order.status, order.attempt, order.history.len()), (OrderStatus::Pending, 1, 1));
    assert!(shop.orders_sent().iter().all(|sent| *sent == message(&buyer, 1)));
}

#[tokio::test]
async fn what_is_held_can_be_bought_although_the_sale_is_paused_or_over() {
    for status in ["PAUSED", "CLOSED"] {
        let shop = Shop::with(Stage::Held).await;
        shop.set_status(&demo(), status).await;
        assert_eq!(brief(&shop.ask::<Checkout>("checkout/ok").await), "202", "{status}");
    }
}
