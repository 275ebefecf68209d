//! An order that exists gets the address that comes, or the request is refused.
#![expect(clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use domain::{Address, OrderStatus};
use insta::assert_snapshot;
use pay::Pay;
use serde_json::json;
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Judged, Shop, Stage, address, brief, demo, draft};

use crate::shoppers::place_order::{body, function, request};

/// An order without a payment method, to another address than that of the buyers' orders.
fn to_shelbyville() -> kit::Request {
    let mut address = body()["shipping_address"].clone();
    address["city"] = json!("Shelbyville");
    request("demo").json(&json!({"shipping_address": address})).build()
}

fn shelbyville() -> Address {
    Address { city: "Shelbyville".to_owned(), ..address() }
}

/// The first buyer, whose units are in the shard that the function claims from.
fn at_home() -> Buyer {
    Buyer { shard: draft().layout().home_of(&demo(), &Buyer::first().shopper), ..Buyer::first() }
}

async fn with(stage: Stage) -> (Shop, Buyer) {
    let (shop, buyer) = (Shop::open().await, at_home());
    shop.bring(&buyer, stage).await;
    (shop, buyer)
}

#[tokio::test]
async fn an_address_alone_replaces_that_of_an_order_that_waits_and_is_refused_afterwards() {
    let mut lines = Vec::new();
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain, Stage::Pending, Stage::PayingAgain, Stage::Completed] {
        let (shop, buyer) = with(stage).await;
        let before = shop.uncounted().orders().get(&buyer.id).await.unwrap();
        let answer = brief(&function(&shop, &Calls::new()).handle(to_shelbyville()).await);
        let after = shop.order(&buyer).await;
        if answer == "202" {
            assert_eq!(after.shipping_address, Some(shelbyville()), "{stage:?}");
            let steps = |order: &domain::Order| (order.status, order.attempt, order.history.len());
            assert_eq!(before.as_ref().map_or(steps(&after), steps), steps(&after), "{stage:?}: nothing else changes");
        } else {
            assert_eq!(Some(after), before, "{stage:?}");
        }
        assert_eq!((shop.orders_sent().len(), shop.units(&demo()).await.0), (0, 99), "{stage:?}");
        lines.push(format!("{stage:?}: {answer}"));
    }
    assert_snapshot!(lines.join("\n"), @r"
    Held: 202
    Waiting: 202
    WaitingAgain: 202
    Pending: 409 address-fixed
    PayingAgain: 409 address-fixed
    Completed: 409 already-purchased
    ");
}

#[tokio::test]
async fn an_order_keeps_its_address_when_none_comes() {
    for stage in [Stage::Waiting, Stage::WaitingAgain, Stage::PayingAgain] {
        let (shop, buyer) = with(stage).await;
        let before = shop.order(&buyer).await;
        assert_eq!(brief(&function(&shop, &Calls::new()).handle(request("demo").build()).await), "202");
        assert_eq!(shop.order(&buyer).await, before, "{stage:?}");
    }
}

#[tokio::test]
async fn another_address_with_a_method_is_the_next_attempt() {
    let (shop, buyer) = with(Stage::WaitingAgain).await;
    let mut body = body();
    body["shipping_address"]["city"] = json!("Shelbyville");
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(request("demo").json(&body).build()).await), "202");
    let order = shop.order(&buyer).await;
    assert_eq!((order.status, order.attempt, order.shipping_address), (OrderStatus::Pending, 2, Some(shelbyville())));
}

#[tokio::test]
async fn a_process_may_die_at_any_request_and_the_same_again_replaces_the_address() {
    every_crash(async |calls| {
        let (shop, buyer) = with(Stage::WaitingAgain).await;
        let died = brief(&function(&shop, calls).handle(to_shelbyville()).await);
        calls.heal();
        assert_eq!(brief(&function(&shop, calls).handle(to_shelbyville()).await), "202", "after {died}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.shipping_address, order.attempt, order.history.len()), (Some(shelbyville()), 1, 2), "{died}");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_was_accepted_is_that_of_the_payment_that_starts_at_the_same_time() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = with(Stage::WaitingAgain).await;
        let (here, there) = (function(&shop, &interleaving.calls), shop.wire::<Judged<Pay>>(&Calls::new()));
        let pay = json!({"order_id": buyer.id, "payment_method": "sandbox:ok", "amount": "999.00"});
        let pay = test_aws::request("POST", "/payment").shopper(buyer.shopper.as_str()).json(&pay).build();
        let (placed, paid) = interleaving.run(here.handle(to_shelbyville()), there.handle(pay)).await;
        let is_kept = shop.order(&buyer).await.shipping_address == Some(shelbyville());
        assert_eq!(
            (brief(&placed).as_str(), brief(&paid)),
            (if is_kept { "202" } else { "409 address-fixed" }, "202".to_owned())
        );
    })
    .await;
}
