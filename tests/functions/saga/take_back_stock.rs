//! `take-back-stock` on a real DynamoDB engine: the units of an order that is undone are available again, once, whether they
//! were sold or held; those of anybody else stay where they are.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use serde_json::json;
use take_back_stock::TakeBackStock;
use test_aws::{Calls, Fault, every_crash};
use test_shop::{Buyer, Shop, Stage, demo};

use super::{Answer, at, error, run};

async fn on(shop: &Shop, event: &str) -> Answer {
    run::<TakeBackStock>(shop, &Calls::new(), test_aws::event_value(&format!("take-back-stock/{event}.json"))).await
}

fn moved(yes: bool) -> Answer {
    Ok(json!({"moved": yes}))
}

#[tokio::test]
async fn units_that_are_sold_or_held_come_back_once() {
    for stage in [Stage::Pending, Stage::Charged, Stage::Sold] {
        let (shop, buyer) = at(stage).await;
        shop.bring(&Buyer::second(), Stage::Sold).await;
        assert_eq!(on(&shop, "ok").await, moved(true), "{stage:?}");
        assert_eq!(shop.units(&demo()).await, (98, 0, 2), "{stage:?}");
        for _ in 0..2 {
            assert_eq!(on(&shop, "ok").await, moved(false), "{stage:?}: they are back");
        }
        assert_eq!(shop.units(&demo()).await, (98, 0, 2), "{stage:?}");
        assert!(shop.reservation(&buyer).await.is_some(), "{stage:?}: it goes with the order");
    }
}

#[tokio::test]
async fn units_that_are_bought_are_never_taken_back() {
    let (shop, _) = at(Stage::Completed).await;
    let before = shop.everything().await;
    for _ in 0..2 {
        assert_eq!(on(&shop, "ok").await, error("OrderNotPending"));
    }
    assert_eq!(shop.everything().await, before);
}

/// A hold that waits for its payment is the shopper's until its end.
#[tokio::test]
async fn units_that_are_held_and_not_being_paid_are_not_taken_back() {
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain] {
        let (shop, _) = at(stage).await;
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, error("OrderNotPending"), "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
}

#[tokio::test]
async fn a_task_that_comes_late_moves_nothing() {
    for stage in [Stage::Failed, Stage::Refunded, Stage::Expired] {
        let (shop, _) = at(stage).await;
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, moved(false), "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
}

/// The shopper was refunded and holds units of the same sale again, perhaps of the same shard.
#[tokio::test]
async fn a_task_that_comes_late_leaves_the_shoppers_next_reservation_alone() {
    let (shop, first) = at(Stage::Refunded).await;
    let next = Buyer { id: Buyer::second().id, ..first };
    shop.bring(&next, Stage::Charged).await;
    assert_eq!(on(&shop, "ok").await, moved(false));
    assert_eq!(shop.units(&demo()).await, (99, 1, 0));
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_moves_nothing() {
    let (shop, _) = at(Stage::Sold).await;
    shop.bring(&Buyer::second(), Stage::Sold).await;
    let before = shop.everything().await;
    for event in ["unknown-order", "somebody-elses"] {
        assert_eq!(on(&shop, event).await, moved(false), "{event}");
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
        ("UpdateItem", Fault::Denied, "StoreFailed"),
    ] {
        let (shop, _) = at(Stage::Sold).await;
        let calls = Calls::new();
        calls.fail_always(operation, fault);
        let input = || test_aws::event_value("take-back-stock/ok.json");
        assert_eq!(run::<TakeBackStock>(&shop, &calls, input()).await, error(expected), "{operation} {fault:?}");
        calls.heal();
        assert_eq!(run::<TakeBackStock>(&shop, &calls, input()).await, moved(true), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn units_whose_return_was_cut_off_come_back_once() {
    for stage in [Stage::Charged, Stage::Sold] {
        every_crash(async |calls| {
            let (shop, _) = at(stage).await;
            let input = || test_aws::event_value("take-back-stock/ok.json");
            let died = run::<TakeBackStock>(&shop, calls, input()).await;
            calls.heal();
            assert!(run::<TakeBackStock>(&shop, calls, input()).await.is_ok(), "{stage:?} after {died:?}");
            assert_eq!(shop.units(&demo()).await, (100, 0, 0), "{stage:?} after {died:?}");
        })
        .await;
    }
}
