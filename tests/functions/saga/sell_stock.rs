//! `sell-stock` on a real DynamoDB engine: it sells the units that are held for the order, once, and no others.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use sell_stock::SellStock;
use serde_json::json;
use test_aws::{Calls, every_crash};
use test_shop::{Buyer, Shop, Stage, demo};

use super::{Answer, at, cannot_read, changes_nothing, cut_off_and_again, error, input, on, run, tells_how_the_store_fails};

fn sold(quantity: u32) -> Answer {
    Ok(json!({"quantity": quantity}))
}

#[tokio::test]
async fn the_units_of_a_charged_order_are_sold_once() {
    let (shop, buyer) = at(Stage::Charged).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    for _ in 0..3 {
        assert_eq!(on::<SellStock>(&shop, "sell-stock/ok").await, sold(1));
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
    run::<SellStock>(&shop, &calls, input("sell-stock/ok")).await.unwrap();
    assert_eq!((calls.count("GetItem"), calls.count("UpdateItem"), calls.total()), (1, 1, 2));
}

/// The state machine has already passed this task, or the order has ended. No unit moves any more.
#[tokio::test]
async fn a_task_that_comes_late_sells_nothing() {
    for (stages, expected) in [
        ([Stage::Sold, Stage::Completed, Stage::RefundPending], sold(1)),
        ([Stage::Failed, Stage::Refunded, Stage::Expired], error("HoldLost")),
    ] {
        for stage in stages {
            changes_nothing::<SellStock>(&at(stage).await.0, input("sell-stock/ok"), expected.clone(), stage).await;
        }
    }
}

/// No gateway charges at these stages, so nothing may be sold.
#[tokio::test]
async fn units_that_are_not_being_paid_are_not_sold() {
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain] {
        changes_nothing::<SellStock>(&at(stage).await.0, input("sell-stock/ok"), error("HoldLost"), stage).await;
    }
}

/// The reservation says that the units are held, but the shard does not. The present holder keeps the units.
#[tokio::test]
async fn a_hold_that_the_shard_does_not_have_is_lost() {
    let (shop, buyer) = at(Stage::Charged).await;
    shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    for _ in 0..2 {
        assert_eq!(on::<SellStock>(&shop, "sell-stock/ok").await, error("HoldLost"));
    }
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_sells_nothing() {
    let (shop, _) = at(Stage::Charged).await;
    shop.bring(&Buyer::second(), Stage::Charged).await;
    for event in ["sell-stock/unknown-order", "sell-stock/somebody-elses"] {
        changes_nothing::<SellStock>(&shop, input(event), error("HoldLost"), event).await;
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    cannot_read::<SellStock>(&Shop::open().await, &["sell-stock/malformed", "sell-stock/missing-shopper"]).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    let case = (Stage::Charged, "sell-stock/ok");
    tells_how_the_store_fails::<SellStock>(case, &["GetItem", "UpdateItem"], sold(1)).await;
}

#[tokio::test]
async fn a_sale_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (shop, _) = at(Stage::Charged).await;
        let (died, again) = cut_off_and_again::<SellStock>(&shop, calls, "sell-stock/ok").await;
        assert_eq!((again, shop.units(&demo()).await), (sold(1), (99, 0, 1)), "after {died:?}");
    })
    .await;
}
