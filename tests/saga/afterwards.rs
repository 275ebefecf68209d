//! What the Reservation stream and the expiry queue do after a saga: they release nothing twice, and no unit stays held.

use domain::OrderStatus;
use expire_reservation::ExpireReservation;
use release_stock::ReleaseStock;
use schedule_expiry::ScheduleExpiry;
use test_aws::Calls;
use test_shop::{Shop, demo};

use crate::{WAITS, machine::Machine, methods, pending};

/// Hands every record of the stream to `release-stock`, also the records that its filter drops.
async fn release(shop: &Shop) {
    assert_eq!(test_shop::stream(&shop.wire::<ReleaseStock>(&Calls::new()), shop.dynamo.reservation_event()).await, None);
}

#[tokio::test]
async fn the_stream_releases_nothing_that_the_saga_has_moved() {
    for (method, expected) in methods() {
        let (shop, buyer) = pending(method).await;
        Machine::new(&shop).run(&buyer, 1).await;
        let before = shop.everything().await;
        release(&shop).await;
        assert_eq!(shop.everything().await, before, "{method}");
        assert_eq!(shop.units(&demo()).await, expected.units, "{method}");
    }
}

#[tokio::test]
async fn a_hold_that_was_handed_back_and_not_paid_ends_by_its_message() {
    let (shop, buyer) = pending("sandbox:declined").await;
    shop.clock.set("2026-11-01T12:04:30Z");
    Machine::new(&shop).run(&buyer, 1).await;
    assert!(shop.queue.sent().is_empty(), "no task of the saga sends a message");
    let schedule: ScheduleExpiry = shop.wire(&Calls::new());
    assert_eq!(test_shop::stream_batch(&schedule, shop.dynamo.reservation_event()).await, None);
    let function: ExpireReservation = shop.wire(&Calls::new());
    for (now, units, status) in [
        ("2026-11-01T12:05:00Z", WAITS.units, OrderStatus::AwaitingPayment),
        ("2026-11-01T12:06:30Z", (100, 0, 0), OrderStatus::Expired),
    ] {
        shop.clock.set(now);
        assert!(test_shop::queue(&function, shop.queue.take_event()).await.is_empty());
        release(&shop).await;
        assert_eq!((shop.units(&demo()).await, shop.order(&buyer).await.status), (units, status), "{now}");
    }
}

#[tokio::test]
async fn time_deletes_nothing_that_is_bought_or_kept() {
    for (method, expected) in methods() {
        let (shop, buyer) = pending(method).await;
        Machine::new(&shop).run(&buyer, 1).await;
        shop.clock.set("2026-12-01T00:00:00Z");
        let swept = shop.dynamo.sweep_ttl();
        assert_eq!(swept, usize::from(expected == WAITS), "{method}");
    }
}
