//! `POST /api/flash-sales/{product_id}/order` on sample events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

mod changes;
mod faults;
mod refusals;

use domain::{Order, OrderStatus, ReservationStatus};
use insta::assert_snapshot;
use kit::Response;
use place_order::PlaceOrder;
use serde_json::{Value, json};
use test_aws::{Calls, RequestBuilder, Sent, event};
use test_shop::{Buyer, Judged, Shop, brief, demo, draft, guarded};

use crate::scheduled;

/// A new execution environment.
fn function(shop: &Shop, calls: &Calls) -> Judged<PlaceOrder> {
    shop.wire(calls)
}

/// The demo sale, one whose only unit is held, and one that asks for a proof of work.
pub(super) async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.sold_out(draft(), &Buyer::second()).await;
    shop.sale(&"guarded".parse().unwrap(), guarded()).await;
    shop
}

/// An order by the shopper of the sample events.
fn request(product: &str) -> RequestBuilder {
    let path = format!("/api/flash-sales/{product}/order");
    test_aws::request("POST", &path).path_parameter("product_id", product).shopper(Buyer::first().shopper.as_str())
}

fn body() -> Value {
    json!({
        "quantity": 1,
        "payment_method": "sandbox:ok",
        "shipping_address": {"address_line1": "1 Market Street", "city": "Springfield", "postal_code": "49007", "country": "US"},
    })
}

/// The order that a response is about.
async fn order_of(shop: &Shop, response: &Response) -> Order {
    let id = test_shop::body(response)["order_id"].as_str().unwrap().parse().unwrap();
    shop.uncounted().orders().get(&id).await.unwrap().unwrap()
}

fn message(order: &Order) -> Value {
    json!({"order_id": order.id, "shopper": order.shopper, "attempt": order.attempt})
}

#[tokio::test]
async fn with_a_payment_method_units_are_held_ordered_and_on_their_way_to_be_paid() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let response = function(&shop, &calls).handle(event("place-order/ok.json")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    202 Accepted
    location: ../../../orders/demo.01M6BFR0300000000000000001
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    {"inventory_status":"confirmed","order_id":"demo.01M6BFR0300000000000000001","order_status":"pending",
     "payment_options":[{"account":"sandbox","provider":"sandbox"}],"payment_status":"pending","quantity":1}
    "#);
    let order = order_of(&shop, &response).await;
    assert_eq!((order.status, order.attempt, order.amount.to_string()), (OrderStatus::Pending, 1, "999.00 USD".to_owned()));
    assert_eq!((order.shopper, order.shipping_address.unwrap().city), (Buyer::first().shopper, "Springfield".to_owned()));
    let order = order_of(&shop, &response).await;
    assert_eq!((shop.orders_sent(), shop.expiries_sent()), (vec![message(&order)], vec![]));
    let [Sent { body, delay_seconds, .. }] = &scheduled(&shop).await[..] else { panic!("one message for the hold") };
    let expiry = json!({"reservation_id": order.id, "shopper": order.shopper, "expires_at": "2026-11-01T12:06:00Z"});
    assert_eq!((body, *delay_seconds), (&expiry, 300));
    assert_eq!(shop.expiries_sent(), [expiry]);
    let reservation = shop.uncounted().reservations().get(&order.shopper, &demo()).await.unwrap().unwrap();
    assert_eq!((reservation.id, reservation.status), (order.id, ReservationStatus::Paying));
    assert_eq!(shop.units(&demo()).await, (99, 1, 0));
    let counted = ["UpdateItem", "PutItem", "TransactWriteItems", "SendMessage"].map(|operation| calls.count(operation));
    assert_eq!((counted, calls.count("GetItem"), calls.total()), ([2, 1, 1, 1], 3, 8));
}

#[tokio::test]
async fn without_a_payment_method_the_order_waits_until_the_hold_ends() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let response = function(&shop, &calls).handle(event("place-order/no-body.json")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    202 Accepted
    location: ../../../orders/demo.01M6BFR0300000000000000001
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    {"inventory_status":"held","order_id":"demo.01M6BFR0300000000000000001","order_status":"awaiting_payment",
     "pay_by":"2026-11-01T12:06:00Z","payment_options":[{"account":"sandbox","provider":"sandbox"}],
     "payment_status":"none","quantity":1}
    "#);
    let order = order_of(&shop, &response).await;
    assert_eq!((order.status, order.attempt, order.payment_method), (OrderStatus::AwaitingPayment, 0, None));
    assert!(shop.queue.sent().is_empty());
    let [Sent { body, delay_seconds, .. }] = &scheduled(&shop).await[..] else { panic!("one message for the hold") };
    assert_eq!((&body["expires_at"], *delay_seconds), (&json!(order.pay_by), 300));
    let reservation = shop.uncounted().reservations().get(&order.shopper, &demo()).await.unwrap().unwrap();
    assert_eq!((reservation.status, reservation.expires_at), (ReservationStatus::Held, order.pay_by));
    let counted = ["GetItem", "UpdateItem", "PutItem"].map(|operation| calls.count(operation));
    assert_eq!((counted, calls.total()), ([2, 2, 2], 6));
}

#[tokio::test]
async fn no_body_an_empty_body_and_an_empty_object_are_the_same_wish() {
    let requests = [
        event("place-order/no-body.json"),
        event("place-order/empty-object.json"),
        request("demo").body("").build(),
        request("demo").header("content-type", "application/json").body(" \n").build(),
        request("demo").json(&json!({"quantity": null, "payment_method": null, "shipping_address": null})).build(),
    ];
    for request in requests {
        let shop = Shop::open().await;
        let response = function(&shop, &Calls::new()).handle(request).await;
        assert_eq!(
            (brief(&response), test_shop::body(&response)["order_status"].clone()),
            ("202".to_owned(), json!("awaiting_payment"))
        );
    }
}

#[tokio::test]
async fn an_address_is_kept_for_a_payment_that_comes_later() {
    let shop = Shop::open().await;
    let address = body()["shipping_address"].clone();
    let response =
        function(&shop, &Calls::new()).handle(request("demo").json(&json!({"shipping_address": address})).build()).await;
    assert_eq!(brief(&response), "202");
    assert_eq!(order_of(&shop, &response).await.shipping_address, Some(test_shop::address()));
}

/// An answer without what the shopper's bucket has left.
fn without_bucket(response: &kit::Response) -> String {
    let told = test_aws::told(response);
    let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("ratelimit")).collect();
    lines.join("\n")
}

#[tokio::test]
async fn the_same_again_is_answered_the_same_here_and_in_another_environment() {
    for case in ["ok", "no-body"] {
        let (shop, calls) = (Shop::open().await, Calls::new());
        let here = function(&shop, &calls);
        let first = here.handle(event(&format!("place-order/{case}.json"))).await;
        let after = shop.everything().await;
        let order = order_of(&shop, &first).await;
        calls.reset();
        shop.clock.advance_seconds(1);
        let again = here.handle(event(&format!("place-order/{case}.json"))).await;
        assert_eq!(without_bucket(&again), without_bucket(&first), "{case}");
        assert_eq!(calls.count("UpdateItem"), 1, "{case}: a repeated winner takes a token and claims nothing");
        shop.clock.advance_seconds(1);
        let there = shop.ask::<PlaceOrder>(&format!("place-order/{case}")).await;
        assert_eq!(without_bucket(&there), without_bucket(&first), "{case}");
        assert_eq!(shop.everything().await, after, "{case}");
        assert!(shop.orders_sent().iter().all(|sent| *sent == message(&order)), "{case}");
        assert!(shop.expiries_sent().is_empty(), "{case}");
        assert_eq!(scheduled(&shop).await.len(), 1, "{case}: one message for the hold, in whichever environment");
    }
}

#[tokio::test]
async fn two_units_cost_twice_as_much() {
    let shop = Shop::open().await;
    let response = function(&shop, &Calls::new()).handle(request("demo").json(&json!({"quantity": 2})).build()).await;
    let order = order_of(&shop, &response).await;
    assert_eq!((order.quantity.units(), order.amount.to_string()), (2, "1998.00 USD".to_owned()));
    assert_eq!(shop.units(&demo()).await, (98, 2, 0));
}

#[tokio::test]
async fn twenty_tabs_at_once_make_one_order() {
    let shop = Shop::open().await;
    let tabs: Vec<Judged<PlaceOrder>> = (0..20).map(|_| function(&shop, &Calls::new())).collect();
    let answers = tabs.iter().map(|tab| tab.handle(event("place-order/ok.json")));
    for response in futures_util::future::join_all(answers).await {
        // A tab may come between another tab's claim and its reservation.
        assert!(matches!(brief(&response).as_str(), "202" | "503 try-again"), "{}", brief(&response));
    }
    shop.clock.advance_seconds(12);
    let response = shop.ask::<PlaceOrder>("place-order/ok").await;
    assert_eq!((brief(&response), shop.units(&demo()).await), ("202".to_owned(), (99, 1, 0)));
    let order = order_of(&shop, &response).await;
    assert_eq!((order.attempt, order.history.len()), (1, 1));
    assert!(shop.orders_sent().iter().all(|sent| *sent == message(&order)));
}
