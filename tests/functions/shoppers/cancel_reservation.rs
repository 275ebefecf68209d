//! `DELETE /reservations/{reservation_id}` on sample events. `release-stock` releases the units.

use cancel_reservation::CancelReservation;
use insta::assert_snapshot;
use test_aws::{Calls, Fault, event};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo};

use super::PAYMENT_IN_PROGRESS;

fn function(shop: &Shop, calls: &Calls) -> Judged<CancelReservation> {
    shop.wire(calls)
}

#[tokio::test]
async fn a_hold_is_given_up_for_one_write_and_its_units_are_the_streams_to_release() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    assert_snapshot!(shop.told_with::<CancelReservation>(&calls, "cancel-reservation/ok").await, @r"204 No Content");
    assert_eq!((calls.count("DeleteItem"), calls.total()), (1, 1));
    assert_eq!(shop.reservation(&Buyer::first()).await, None);
    assert_eq!(shop.units(&demo()).await, (99, 1, 0), "the shard is not this function's");
    let removed = shop.dynamo.reservation_records().into_iter().filter(|record| record.event_name == "REMOVE");
    assert_eq!(removed.count(), 1, "what release-stock goes by");
}

#[tokio::test]
async fn the_same_again_is_answered_the_same_and_changes_nothing() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    let first = test_aws::told(&function.handle(event("cancel-reservation/ok.json")).await);
    let after = shop.everything().await;
    for _ in 0..2 {
        calls.reset();
        assert_eq!(test_aws::told(&function.handle(event("cancel-reservation/ok.json")).await), first);
        assert_eq!((calls.total(), calls.failed("ConditionalCheckFailedException")), (1, 1));
    }
    assert_eq!(shop.everything().await, after);
}

#[tokio::test]
async fn a_payment_that_is_under_way_is_not_cancelled() {
    for stage in [Stage::Pending, Stage::Charged, Stage::Sold, Stage::PayingAgain] {
        let shop = Shop::with(stage).await;
        let before = shop.everything().await;
        let response = shop.ask::<CancelReservation>("cancel-reservation/ok").await;
        assert_eq!((brief(&response), shop.everything().await), ("409 payment-in-progress".to_owned(), before), "{stage:?}");
    }
    let shop = Shop::with(Stage::Pending).await;
    assert_eq!(shop.told::<CancelReservation>("cancel-reservation/ok").await, PAYMENT_IN_PROGRESS);
}

#[tokio::test]
async fn what_is_bought_is_not_cancelled() {
    let shop = Shop::with(Stage::Completed).await;
    let before = shop.everything().await;
    assert_snapshot!(shop.told::<CancelReservation>("cancel-reservation/ok").await, @r"
    409 Conflict: already-purchased, Already purchased
    You have bought in this sale; each shopper can buy once.
    ");
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_hold_whose_order_waits_for_a_payment_is_given_up() {
    for stage in [Stage::Waiting, Stage::WaitingAgain] {
        let shop = Shop::with(stage).await;
        let response = shop.ask::<CancelReservation>("cancel-reservation/ok").await;
        assert_eq!((brief(&response), shop.reservation(&Buyer::first()).await), ("204".to_owned(), None), "{stage:?}");
    }
}

#[tokio::test]
async fn a_hold_that_is_overdue_is_given_up_too() {
    let shop = Shop::with(Stage::Held).await;
    shop.clock.set("2026-11-01T13:00:00Z");
    let response = shop.ask::<CancelReservation>("cancel-reservation/ok").await;
    assert_eq!((brief(&response), shop.reservation(&Buyer::first()).await), ("204".to_owned(), None));
}

/// The answer is 204 for a reservation that is gone, that never existed, or that was never the caller's: it tells none apart.
#[tokio::test]
async fn nothing_but_the_callers_own_reservation_by_its_own_id_is_touched() {
    let shop = Shop::with(Stage::Held).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    let before = shop.everything().await;
    let function = function(&shop, &Calls::new());
    for case in ["somebody-elses", "unknown-reservation", "impossible-reservation-id", "no-identity"] {
        function.handle(event(&format!("cancel-reservation/{case}.json"))).await;
        assert_eq!(shop.everything().await, before, "{case}");
    }
}

#[tokio::test]
async fn a_reservation_that_was_made_since_is_not_cancelled_by_an_old_id() {
    let shop = Shop::open().await;
    let newer = Buyer { shopper: Buyer::first().shopper, ..Buyer::second() };
    shop.bring(&newer, Stage::Held).await;
    let response = shop.ask::<CancelReservation>("cancel-reservation/ok").await;
    assert_eq!(brief(&response), "204", "the old one is gone");
    assert!(shop.reservation(&newer).await.is_some());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_a_table_that_stays_away_is_503() {
    for fault in Fault::PASSING {
        let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
        let function = function(&shop, &calls);
        calls.fail_always("DeleteItem", fault);
        let response = function.handle(event("cancel-reservation/ok.json")).await;
        assert_eq!(brief(&response), "503 try-again", "{fault:?}");
        calls.heal();
        calls.fail_next("DeleteItem", fault);
        let response = function.handle(event("cancel-reservation/ok.json")).await;
        assert_eq!((brief(&response), shop.reservation(&Buyer::first()).await), ("204".to_owned(), None), "{fault:?} once");
    }
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    calls.fail_always("DeleteItem", Fault::Denied);
    let response = function(&shop, &calls).handle(event("cancel-reservation/ok.json")).await;
    assert_eq!(brief(&response), "500 internal-error");
}
