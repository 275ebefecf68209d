//! `take-back-stock` on a real DynamoDB engine: it makes the units of an undone order available again, once, whether they were
//! sold or held. It does not move any other units.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use serde_json::json;
use take_back_stock::TakeBackStock;
use test_aws::every_crash;
use test_shop::{Buyer, Shop, Stage, demo};

use super::{Answer, at, cannot_read, changes_nothing, cut_off_and_again, error, input, on, tells_how_the_store_fails};

fn moved(yes: bool) -> Answer {
    Ok(json!({"moved": yes}))
}

#[tokio::test]
async fn units_that_are_sold_or_held_come_back_once() {
    for stage in [Stage::Pending, Stage::Charged, Stage::Sold] {
        let (shop, buyer) = at(stage).await;
        shop.bring(&Buyer::second(), Stage::Sold).await;
        assert_eq!(on::<TakeBackStock>(&shop, "take-back-stock/ok").await, moved(true), "{stage:?}");
        assert_eq!(shop.units(&demo()).await, (98, 0, 2), "{stage:?}");
        for _ in 0..2 {
            assert_eq!(on::<TakeBackStock>(&shop, "take-back-stock/ok").await, moved(false), "{stage:?}: they are back");
        }
        assert_eq!(shop.units(&demo()).await, (98, 0, 2), "{stage:?}");
        assert!(shop.reservation(&buyer).await.is_some(), "{stage:?}: it goes with the order");
    }
}

#[tokio::test]
async fn units_that_are_bought_are_never_taken_back() {
    let (shop, _) = at(Stage::Completed).await;
    changes_nothing::<TakeBackStock>(&shop, input("take-back-stock/ok"), error("OrderNotPending"), "bought").await;
}

/// A hold that waits for its payment belongs to the shopper until its end.
#[tokio::test]
async fn units_that_are_held_and_not_being_paid_are_not_taken_back() {
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain] {
        changes_nothing::<TakeBackStock>(&at(stage).await.0, input("take-back-stock/ok"), error("OrderNotPending"), stage).await;
    }
}

#[tokio::test]
async fn a_task_that_comes_late_moves_nothing() {
    for stage in [Stage::Failed, Stage::Refunded, Stage::Expired] {
        changes_nothing::<TakeBackStock>(&at(stage).await.0, input("take-back-stock/ok"), moved(false), stage).await;
    }
}

/// The shopper was refunded and holds units of the same sale again, perhaps of the same shard.
#[tokio::test]
async fn a_task_that_comes_late_leaves_the_shoppers_next_reservation_alone() {
    let (shop, first) = at(Stage::Refunded).await;
    let next = Buyer { id: Buyer::second().id, ..first };
    shop.bring(&next, Stage::Charged).await;
    assert_eq!(on::<TakeBackStock>(&shop, "take-back-stock/ok").await, moved(false));
    assert_eq!(shop.units(&demo()).await, (99, 1, 0));
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_moves_nothing() {
    let (shop, _) = at(Stage::Sold).await;
    shop.bring(&Buyer::second(), Stage::Sold).await;
    for event in ["take-back-stock/unknown-order", "take-back-stock/somebody-elses"] {
        changes_nothing::<TakeBackStock>(&shop, input(event), moved(false), event).await;
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    cannot_read::<TakeBackStock>(&Shop::open().await, &["take-back-stock/malformed", "take-back-stock/missing-shopper"]).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    let case = (Stage::Sold, "take-back-stock/ok");
    tells_how_the_store_fails::<TakeBackStock>(case, &["GetItem", "UpdateItem"], moved(true)).await;
}

#[tokio::test]
async fn units_whose_return_was_cut_off_come_back_once() {
    for stage in [Stage::Charged, Stage::Sold] {
        every_crash(async |calls| {
            let (shop, _) = at(stage).await;
            let (died, again) = cut_off_and_again::<TakeBackStock>(&shop, calls, "take-back-stock/ok").await;
            assert!(again.is_ok(), "{stage:?} after {died:?}, then {again:?}");
            assert_eq!(shop.units(&demo()).await, (100, 0, 0), "{stage:?} after {died:?}");
        })
        .await;
    }
}
