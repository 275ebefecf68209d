//! `sell-stock` on a real DynamoDB engine: the units that are held for the order become sold, once, and no others.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use sell_stock::SellStock;
use serde_json::json;
use test_aws::{Calls, Fault, every_crash};
use test_shop::{Buyer, Shop, Stage, demo};

use super::{Answer, at, error, run};

async fn on(shop: &Shop, event: &str) -> Answer {
    run::<SellStock>(shop, &Calls::new(), test_aws::event_value(&format!("sell-stock/{event}.json"))).await
}

fn sold(quantity: u32) -> Answer {
    Ok(json!({"quantity": quantity}))
}

#[tokio::test]
async fn the_units_of_a_charged_order_are_sold_once() {
    let (shop, buyer) = at(Stage::Charged).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    for _ in 0..3 {
        assert_eq!(on(&shop, "ok").await, sold(1));
        assert_eq!(shop.units(&demo()).await, (97, 2, 1));
    }
    let shard = shop.shard(&buyer).await;
    assert_eq!(shard.sold()[&buyer.shopper].reservation, buyer.id);
    assert!(shard.held().is_empty());
}

#[tokio::test]
async fn all_units_of_an_order_are_sold() {
    let (shop, buyer) = (Shop::open().await, Buyer::second());
    shop.bring(&buyer, Stage::Charged).await;
    let input = json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1});
    assert_eq!(run::<SellStock>(&shop, &Calls::new(), input).await, sold(2));
    assert_eq!(shop.units(&demo()).await, (98, 0, 2));
}

#[tokio::test]
async fn selling_costs_one_read_and_one_write() {
    let (shop, _) = at(Stage::Charged).await;
    let calls = Calls::new();
    run::<SellStock>(&shop, &calls, test_aws::event_value("sell-stock/ok.json")).await.unwrap();
    assert_eq!((calls.count("GetItem"), calls.count("UpdateItem"), calls.total()), (1, 1, 2));
}

/// The state machine has been there already, or the order has ended: nothing moves any more.
#[tokio::test]
async fn a_task_that_comes_late_sells_nothing() {
    for stage in [Stage::Sold, Stage::Completed, Stage::RefundPending] {
        let (shop, _) = at(stage).await;
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, sold(1), "{stage:?}: they are this order's");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
    for stage in [Stage::Failed, Stage::Refunded, Stage::Expired] {
        let (shop, _) = at(stage).await;
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, error("HoldLost"), "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
}

/// Nobody is charged at these stages, so nothing may be sold.
#[tokio::test]
async fn units_that_are_not_being_paid_are_not_sold() {
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain] {
        let (shop, _) = at(stage).await;
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, error("HoldLost"), "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
}

/// Its reservation says that they are held; the shard does not. Whoever has them now keeps them.
#[tokio::test]
async fn a_hold_that_the_shard_does_not_have_is_lost() {
    let (shop, buyer) = at(Stage::Charged).await;
    shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    for _ in 0..2 {
        assert_eq!(on(&shop, "ok").await, error("HoldLost"));
    }
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_sells_nothing() {
    let (shop, _) = at(Stage::Charged).await;
    shop.bring(&Buyer::second(), Stage::Charged).await;
    let before = shop.everything().await;
    for event in ["unknown-order", "somebody-elses"] {
        assert_eq!(on(&shop, event).await, error("HoldLost"), "{event}");
    }
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    let shop = Shop::open().await;
    for event in ["malformed", "missing-shopper"] {
        assert_eq!(on(&shop, event).await, error("MalformedTask"), "{event}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    for (operation, fault, expected) in [
        ("GetItem", Fault::LostRequest, "StoreUnavailable"),
        ("UpdateItem", Fault::Throttled, "StoreUnavailable"),
        ("UpdateItem", Fault::LostAnswer, "StoreUnavailable"),
        ("UpdateItem", Fault::Denied, "StoreFailed"),
    ] {
        let (shop, _) = at(Stage::Charged).await;
        let calls = Calls::new();
        calls.fail_always(operation, fault);
        let input = || test_aws::event_value("sell-stock/ok.json");
        assert_eq!(run::<SellStock>(&shop, &calls, input()).await, error(expected), "{operation} {fault:?}");
        calls.heal();
        assert_eq!(run::<SellStock>(&shop, &calls, input()).await, sold(1), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn a_sale_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (shop, _) = at(Stage::Charged).await;
        let input = || test_aws::event_value("sell-stock/ok.json");
        let died = run::<SellStock>(&shop, calls, input()).await;
        calls.heal();
        assert_eq!(run::<SellStock>(&shop, calls, input()).await, sold(1), "after {died:?}");
        assert_eq!(shop.units(&demo()).await, (99, 0, 1), "after {died:?}");
    })
    .await;
}
