//! `expire-reservation` on a real DynamoDB engine: a hold ends at its end, not before, and not while it is being paid; the
//! stream of what it deletes gives the units back.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use domain::{AttemptStatus, OrderStatus, ReservationStatus, Timestamp};
use expire_reservation::ExpireReservation;
use kit::workers::{SqsEvent, sqs_batch, stream_batch};
use release_stock::ReleaseStock;
use scene::{Buyer, END, Scene, Stage, demo, failed_messages, failed_record};
use testkit::{Calls, Fault, every_crash};

async fn at(stage: Stage) -> (Scene, Buyer) {
    let (scene, buyer) = (Scene::open().await, Buyer::first());
    scene.bring(&buyer, stage).await;
    (scene, buyer)
}

/// Handles a batch, and gives the ids of the messages that come again.
async fn handle(scene: &Scene, calls: &Calls, event: SqsEvent) -> Vec<String> {
    let reservations = scene.reservations_on(scene.dynamo.client_with(calls));
    let function = ExpireReservation::new(scene.shared_clock(), reservations, scene.expiry_queue(calls));
    failed_messages(&sqs_batch(event, |message| function.handle(message)).await)
}

async fn on(scene: &Scene, event: &str) -> Vec<String> {
    handle(scene, &Calls::new(), event_of(event)).await
}

fn event_of(event: &str) -> SqsEvent {
    testkit::event_as(&format!("expire-reservation/{event}.json"))
}

/// Has the Reservation stream release what was deleted.
async fn release(scene: &Scene) {
    let function = ReleaseStock::new(scene.shared_clock(), scene.stock(), scene.orders());
    let response = stream_batch(scene.dynamo.reservation_event(), |record| function.handle(record)).await;
    assert_eq!(failed_record(&response), None);
}

/// Ends and delays of the messages that were sent.
fn sent(scene: &Scene) -> Vec<(Timestamp, i64)> {
    let messages = scene.queue.sent().into_iter();
    messages.map(|sent| (serde_json::from_value(sent.body["expires_at"].clone()).unwrap(), sent.delay_seconds)).collect()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_overdue_hold_is_deleted_and_its_units_come_back_by_the_stream() {
    let (scene, buyer) = at(Stage::Held).await;
    scene.clock.set(END);
    assert!(on(&scene, "ok").await.is_empty());
    assert_eq!(scene.reservation(&buyer).await, None);
    assert_eq!(scene.units(&demo()).await, (99, 1, 0), "not by this function");
    release(&scene).await;
    assert_eq!(scene.units(&demo()).await, (100, 0, 0));
    assert!(scene.queue.sent().is_empty());
}

#[tokio::test]
async fn an_order_that_nobody_paid_expires_with_its_hold() {
    for stage in [Stage::Waiting, Stage::Declined] {
        let (scene, buyer) = at(stage).await;
        scene.clock.set("2026-11-01T12:05:01Z");
        assert!(on(&scene, "ok").await.is_empty());
        release(&scene).await;
        assert_eq!(scene.order(&buyer).await.status, OrderStatus::Expired, "{stage:?}");
        assert_eq!(scene.units(&demo()).await, (100, 0, 0), "{stage:?}");
    }
}

#[tokio::test]
async fn a_message_that_comes_early_is_sent_again_for_the_time_that_is_left() {
    for (now, delay) in [
        ("2026-11-01T11:40:00Z", 900),
        ("2026-11-01T11:50:00Z", 900),
        ("2026-11-01T11:50:01Z", 899),
        ("2026-11-01T12:04:30Z", 30),
        ("2026-11-01T12:04:59.999Z", 1),
    ] {
        let (scene, buyer) = at(Stage::Held).await;
        scene.clock.set(now);
        assert!(on(&scene, "ok").await.is_empty(), "{now}");
        assert_eq!(sent(&scene), [(time(END), delay)], "{now}");
        assert!(scene.reservation(&buyer).await.is_some(), "{now}");
    }
}

/// A hold of an hour is waited for in several messages.
#[tokio::test]
async fn a_long_hold_is_waited_for_message_after_message() {
    let scene = Scene::open().await;
    assert!(on(&scene, "not-yet").await.is_empty());
    for _ in 0..3 {
        assert_eq!(sent(&scene), [(time("2099-12-01T12:00:00Z"), 900)]);
        scene.clock.advance_seconds(900);
        assert!(handle(&scene, &Calls::new(), scene.queue.take_event()).await.is_empty());
    }
}

/// After a failed payment the hold lasts longer than the message of its beginning says.
#[tokio::test]
async fn a_hold_whose_end_was_moved_is_waited_for() {
    let (scene, buyer) = at(Stage::Pending).await;
    let order = scene.order(&buyer).await;
    let later = time("2026-11-01T12:07:30Z");
    scene.attempt(&buyer, 1, "sandbox", AttemptStatus::Declined).await;
    scene.purchases().payment_failed(&order, 1, later, "declined", scene.now()).await.unwrap();
    scene.clock.set("2026-11-01T12:05:00.5Z");
    assert!(on(&scene, "ok").await.is_empty());
    assert_eq!(sent(&scene), [(later, 150)]);
    assert_eq!(scene.reservation(&buyer).await.unwrap().expires_at, later);
    scene.clock.set("2026-11-01T12:07:30Z");
    assert!(handle(&scene, &Calls::new(), scene.queue.take_event()).await.is_empty());
    assert_eq!(scene.reservation(&buyer).await, None);
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
        let (scene, buyer) = at(stage).await;
        scene.clock.set("2026-11-01T18:00:00Z");
        let before = scene.everything().await;
        assert!(on(&scene, "ok").await.is_empty(), "{stage:?}");
        assert_eq!(scene.everything().await, before, "{stage:?}");
        assert_eq!(scene.reservation(&buyer).await.unwrap().status, status, "{stage:?}");
        assert!(scene.queue.sent().is_empty(), "{stage:?}: its saga sends one if it hands the hold back");
    }
}

#[tokio::test]
async fn a_hold_that_is_gone_is_done() {
    let (scene, _) = at(Stage::Held).await;
    scene.clock.set(END);
    let before = scene.everything().await;
    assert!(on(&scene, "gone").await.is_empty());
    assert_eq!(scene.everything().await, before);
    assert!(scene.queue.sent().is_empty());
}

/// The shopper gave the first hold up and made another in the same sale.
#[tokio::test]
async fn a_message_of_an_earlier_hold_leaves_the_next_alone() {
    let scene = Scene::open().await;
    let next = Buyer { id: Buyer::second().id, ..Buyer::first() };
    scene.bring(&next, Stage::Held).await;
    scene.clock.set(END);
    assert!(on(&scene, "ok").await.is_empty());
    assert!(scene.reservation(&next).await.is_some());
    assert!(scene.queue.sent().is_empty());
}

#[tokio::test]
async fn messages_that_come_twice_end_a_hold_once() {
    let (scene, _) = at(Stage::Held).await;
    scene.bring(&Buyer::second(), Stage::Held).await;
    scene.clock.set(END);
    for _ in 0..2 {
        assert!(on(&scene, "several").await.is_empty());
    }
    release(&scene).await;
    assert_eq!(scene.units(&demo()).await, (100, 0, 0), "also the other hold of the batch");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_alone() {
    let (scene, buyer) = at(Stage::Held).await;
    scene.bring(&Buyer::second(), Stage::Held).await;
    scene.clock.set(END);
    let failed = on(&scene, "malformed-body").await;
    assert_eq!(failed, ["a2e461b5-0868-4b35-a9c7-fe55945b830e", "2f14bb57-5aae-4da5-89a1-555da9a20370"]);
    assert_eq!(scene.reservation(&buyer).await, None);
    assert_eq!(scene.reservation(&Buyer::second()).await, None);
}

#[tokio::test]
async fn a_message_whose_hold_could_not_be_ended_or_waited_for_comes_again() {
    for (now, operation, fault) in [
        (END, "DeleteItem", Fault::LostRequest),
        (END, "DeleteItem", Fault::Denied),
        ("2026-11-01T12:01:00Z", "SendMessage", Fault::ServerError),
    ] {
        let (scene, _) = at(Stage::Held).await;
        let calls = Calls::new();
        scene.clock.set(now);
        calls.fail_always(operation, fault);
        assert_eq!(handle(&scene, &calls, event_of("ok")).await.len(), 1, "{operation} {fault:?}");
        calls.heal();
        assert!(handle(&scene, &calls, event_of("ok")).await.is_empty(), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (scene, _) = at(Stage::Waiting).await;
        scene.clock.set(END);
        let died = handle(&scene, calls, event_of("ok")).await;
        calls.heal();
        assert!(handle(&scene, calls, event_of("ok")).await.is_empty(), "after {died:?}");
        release(&scene).await;
        assert_eq!(scene.units(&demo()).await, (100, 0, 0), "after {died:?}");
    })
    .await;
}
