//! What the Reservation stream and the expiry queue make of a saga's end: nothing is released twice, and nothing stays held.

use domain::OrderStatus;
use expire_reservation::ExpireReservation;
use kit::workers::{sqs_batch, stream_batch};
use release_stock::ReleaseStock;
use scene::{Scene, demo, failed_messages, failed_record};
use testkit::Calls;

use crate::{WAITS, machine::Machine, methods, pending};

/// Everything that the stream has seen, more than its filter lets through.
async fn release(scene: &Scene) {
    let function = ReleaseStock::new(scene.shared_clock(), scene.stock(), scene.orders());
    let response = stream_batch(scene.dynamo.reservation_event(), |record| function.handle(record)).await;
    assert_eq!(failed_record(&response), None);
}

#[tokio::test]
async fn the_stream_releases_nothing_that_the_saga_has_moved() {
    for (method, expected) in methods() {
        let (scene, buyer) = pending(method).await;
        Machine::new(&scene).run(&buyer, 1).await;
        let before = scene.everything().await;
        release(&scene).await;
        assert_eq!(scene.everything().await, before, "{method}");
        assert_eq!(scene.units(&demo()).await, expected.units, "{method}");
    }
}

#[tokio::test]
async fn a_hold_that_was_handed_back_and_not_paid_ends_by_its_message() {
    let (scene, buyer) = pending("sandbox:declined").await;
    scene.clock.set("2026-11-01T12:04:30Z");
    Machine::new(&scene).run(&buyer, 1).await;
    let calls = Calls::new();
    let reservations = scene.reservations();
    let function = ExpireReservation::new(scene.shared_clock(), reservations, scene.expiry_queue(&calls));
    for (now, units, status) in [
        ("2026-11-01T12:05:00Z", WAITS.units, OrderStatus::AwaitingPayment),
        ("2026-11-01T12:06:30Z", (100, 0, 0), OrderStatus::Expired),
    ] {
        scene.clock.set(now);
        let response = sqs_batch(scene.queue.take_event(), |message| function.handle(message)).await;
        assert!(failed_messages(&response).is_empty());
        release(&scene).await;
        assert_eq!((scene.units(&demo()).await, scene.order(&buyer).await.status), (units, status), "{now}");
    }
}

#[tokio::test]
async fn time_deletes_nothing_that_is_bought_or_kept() {
    for (method, expected) in methods() {
        let (scene, buyer) = pending(method).await;
        Machine::new(&scene).run(&buyer, 1).await;
        scene.clock.set("2026-12-01T00:00:00Z");
        let swept = scene.dynamo.sweep_ttl();
        assert_eq!(swept, usize::from(expected == WAITS), "{method}");
    }
}
