//! `expire-reservation` on a real DynamoDB engine: it ends a hold at the hold's end, not before, and not while the hold is being
//! paid. The stream of deleted reservations gives the units back.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use domain::{AttemptStatus, OrderStatus, ReservationStatus, Timestamp};
use expire_reservation::ExpireReservation;
use release_stock::ReleaseStock;
use test_aws::{Calls, Fault, every_crash};
use test_shop::{Buyer, END, Shop, Stage, demo};

use super::{DELAYS, at, hand_messages};

async fn on(shop: &Shop, event: &str) -> Vec<String> {
    hand_messages::<ExpireReservation>(shop, &Calls::new(), &format!("expire-reservation/{event}")).await
}

/// Hands over the messages that were sent meanwhile. The function must handle all of them.
async fn take_what_was_sent(shop: &Shop) {
    assert!(test_shop::queue(&shop.wire::<ExpireReservation>(&Calls::new()), shop.queue.take_event()).await.is_empty());
}

/// Lets `release-stock` release the units of the deleted reservations.
async fn release(shop: &Shop) {
    assert_eq!(test_shop::stream(&shop.wire::<ReleaseStock>(&Calls::new()), shop.dynamo.reservation_event()).await, None);
}

/// The holds' ends and the delays of the messages that were sent.
fn sent(shop: &Shop) -> Vec<(Timestamp, i64)> {
    let messages = shop.queue.sent().into_iter();
    messages.map(|sent| (serde_json::from_value(sent.body["expires_at"].clone()).unwrap(), sent.delay_seconds)).collect()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_overdue_hold_is_deleted_and_its_units_come_back_by_the_stream() {
    let (shop, buyer) = at(Stage::Held).await;
    shop.clock.set(END);
    assert!(on(&shop, "ok").await.is_empty());
    assert_eq!(shop.reservation(&buyer).await, None);
    assert_eq!(shop.units(&demo()).await, (99, 1, 0), "not by this function");
    release(&shop).await;
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
    assert!(shop.queue.sent().is_empty());
}

#[tokio::test]
async fn an_order_that_nobody_paid_expires_with_its_hold() {
    for stage in [Stage::Waiting, Stage::WaitingAgain] {
        let (shop, buyer) = at(stage).await;
        shop.clock.set("2026-11-01T12:05:01Z");
        assert!(on(&shop, "ok").await.is_empty());
        release(&shop).await;
        assert_eq!(shop.order(&buyer).await.status, OrderStatus::Expired, "{stage:?}");
        assert_eq!(shop.units(&demo()).await, (100, 0, 0), "{stage:?}");
    }
}

#[tokio::test]
async fn a_message_that_comes_early_is_sent_again_for_the_time_that_is_left() {
    for (now, delay) in DELAYS {
        let (shop, buyer) = at(Stage::Held).await;
        shop.clock.set(now);
        assert!(on(&shop, "ok").await.is_empty(), "{now}");
        assert_eq!(sent(&shop), [(time(END), delay)], "{now}");
        assert!(shop.reservation(&buyer).await.is_some(), "{now}");
    }
}

/// The function waits for the end of a long hold with several messages.
#[tokio::test]
async fn a_long_hold_is_waited_for_message_after_message() {
    let shop = Shop::open().await;
    assert!(on(&shop, "not-yet").await.is_empty());
    for _ in 0..3 {
        assert_eq!(sent(&shop), [(time("2099-12-01T12:00:00Z"), 900)]);
        shop.clock.advance_seconds(900);
        take_what_was_sent(&shop).await;
    }
}

/// After a failed payment the hold ends later than its first message says.
#[tokio::test]
async fn a_hold_whose_end_was_moved_is_waited_for() {
    let (shop, buyer) = at(Stage::Pending).await;
    let order = shop.order(&buyer).await;
    let later = time("2026-11-01T12:07:30Z");
    shop.attempt(&buyer, 1, "sandbox", AttemptStatus::Declined).await;
    shop.uncounted().purchases().payment_failed(&order, 1, later, "declined", shop.now()).await.unwrap();
    shop.clock.set("2026-11-01T12:05:00.5Z");
    assert!(on(&shop, "ok").await.is_empty());
    assert_eq!(sent(&shop), [(later, 150)]);
    assert_eq!(shop.reservation(&buyer).await.unwrap().expires_at, later);
    shop.clock.set("2026-11-01T12:07:30Z");
    take_what_was_sent(&shop).await;
    assert_eq!(shop.reservation(&buyer).await, None);
}

#[tokio::test]
async fn what_is_being_paid_or_is_bought_is_kept() {
    for (stage, status) in [
        (Stage::Pending, ReservationStatus::Paying),
        (Stage::Sold, ReservationStatus::Paying),
        (Stage::RefundPending, ReservationStatus::Paying),
        (Stage::PayingAgain, ReservationStatus::Paying),
        (Stage::Completed, ReservationStatus::Purchased),
    ] {
        let (shop, buyer) = at(stage).await;
        shop.clock.set("2026-11-01T18:00:00Z");
        let before = shop.everything().await;
        assert!(on(&shop, "ok").await.is_empty(), "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
        assert_eq!(shop.reservation(&buyer).await.unwrap().status, status, "{stage:?}");
        assert!(shop.queue.sent().is_empty(), "{stage:?}: if its saga hands the hold back, the stream sends one");
    }
}

#[tokio::test]
async fn a_hold_that_is_gone_is_done() {
    let (shop, _) = at(Stage::Held).await;
    shop.clock.set(END);
    let before = shop.everything().await;
    assert!(on(&shop, "gone").await.is_empty());
    assert_eq!(shop.everything().await, before);
    assert!(shop.queue.sent().is_empty());
}

/// The shopper gave up the first hold and made another in the same sale.
#[tokio::test]
async fn a_message_of_an_earlier_hold_leaves_the_next_alone() {
    let shop = Shop::open().await;
    let next = Buyer { id: Buyer::second().id, ..Buyer::first() };
    shop.bring(&next, Stage::Held).await;
    shop.clock.set(END);
    assert!(on(&shop, "ok").await.is_empty());
    assert!(shop.reservation(&next).await.is_some());
    assert!(shop.queue.sent().is_empty());
}

#[tokio::test]
async fn messages_that_come_twice_end_a_hold_once() {
    let (shop, _) = at(Stage::Held).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    shop.clock.set(END);
    for _ in 0..2 {
        assert!(on(&shop, "several").await.is_empty());
    }
    release(&shop).await;
    assert_eq!(shop.units(&demo()).await, (100, 0, 0), "also the other hold of the batch");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_alone() {
    let (shop, buyer) = at(Stage::Held).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    shop.clock.set(END);
    let failed = on(&shop, "malformed-body").await;
    assert_eq!(failed, ["e6f2165c-cc36-4722-90f6-8f8025f18b81", "4557d498-83c5-4e59-ad0e-0ffce807b749"]);
    assert_eq!(shop.reservation(&buyer).await, None);
    assert_eq!(shop.reservation(&Buyer::second()).await, None);
}

#[tokio::test]
async fn a_message_whose_hold_could_not_be_ended_or_waited_for_comes_again() {
    for (now, operation, fault) in [
        (END, "DeleteItem", Fault::LostRequest),
        (END, "DeleteItem", Fault::Denied),
        ("2026-11-01T12:01:00Z", "SendMessage", Fault::ServerError),
    ] {
        let (shop, _) = at(Stage::Held).await;
        let calls = Calls::new();
        shop.clock.set(now);
        calls.fail_always(operation, fault);
        assert_eq!(
            hand_messages::<ExpireReservation>(&shop, &calls, "expire-reservation/ok").await.len(),
            1,
            "{operation} {fault:?}"
        );
        calls.heal();
        assert!(
            hand_messages::<ExpireReservation>(&shop, &calls, "expire-reservation/ok").await.is_empty(),
            "{operation} {fault:?}"
        );
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (shop, _) = at(Stage::Waiting).await;
        shop.clock.set(END);
        let died = hand_messages::<ExpireReservation>(&shop, calls, "expire-reservation/ok").await;
        calls.heal();
        assert!(hand_messages::<ExpireReservation>(&shop, calls, "expire-reservation/ok").await.is_empty(), "after {died:?}");
        release(&shop).await;
        assert_eq!(shop.units(&demo()).await, (100, 0, 0), "after {died:?}");
    })
    .await;
}
