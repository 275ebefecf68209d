//! Nothing was charged: the order waits for another payment and keeps its units for at least two minutes more, but not beyond
//! the latest end of its hold.

use domain::{OrderStatus, OrderStep, PaymentStatus, ReservationStatus, StockStatus, Timestamp};
use expire_reservation::ExpireReservation;
use fail_order::FailOrder;
use release_stock::ReleaseStock;
use schedule_expiry::ScheduleExpiry;
use serde_json::json;
use store::StartOutcome;
use test_aws::{Calls, Sent};
use test_shop::{Buyer, Shop, Stage, demo, stream_batch};

use crate::{
    saga::{
        cannot_read,
        fail_order::{at, on, stage_read, status, statuses},
    },
    scheduled,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The only message that the task's write leads to: the hold's end that it names, and its delay in seconds. `schedule-expiry`
/// sends it, and the task sends none.
async fn only_message(shop: &Shop) -> (Timestamp, i64) {
    assert!(shop.queue.sent().is_empty(), "by the task: {:?}", shop.queue.sent());
    let [Sent { body, delay_seconds, .. }] = &scheduled(shop).await[..] else { panic!("{:?}", shop.queue.sent()) };
    assert_eq!(body["reservation_id"], "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D");
    assert_eq!(body["shopper"], "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01");
    (serde_json::from_value(body["expires_at"].clone()).unwrap(), *delay_seconds)
}

#[tokio::test]
async fn the_order_waits_again_and_the_reservation_is_a_hold_again() {
    let (shop, buyer) = stage_read(Stage::Declined).await;
    assert_eq!(shop.ttl(&buyer).await, None, "what is being paid is not deleted by time");
    assert_eq!(on(&shop, "ok").await, status("awaiting_payment"));
    let (order, reservation) = (shop.order(&buyer).await, shop.reservation(&buyer).await.unwrap());
    assert_eq!(statuses(&order), (OrderStatus::AwaitingPayment, PaymentStatus::Failed, StockStatus::Held));
    let last = order.history.last().unwrap();
    assert_eq!((last.event, last.reason.as_deref()), (OrderStep::PaymentFailed.into(), Some("card-declined")));
    assert_eq!((reservation.status, reservation.expires_at), (ReservationStatus::Held, order.pay_by));
    assert_eq!(shop.ttl(&buyer).await, Some(order.pay_by.as_second()), "the safety net is back");
    assert_eq!(shop.units(&demo()).await, (99, 1, 0), "the units stay held");
    assert_eq!(only_message(&shop).await, (order.pay_by, 240));
}

/// Fails the payment at `now` and asserts that order, reservation and TTL then have the end `end`, which gets one message.
async fn prolongs(shop: &Shop, buyer: &Buyer, now: &str, end: &str, delay_seconds: i64) {
    shop.clock.set(now);
    assert_eq!(on(shop, "ok").await, status("awaiting_payment"), "{now}");
    assert_eq!(only_message(shop).await, (time(end), delay_seconds), "{now}");
    assert_eq!(shop.order(buyer).await.pay_by, time(end), "{now}");
    assert_eq!(shop.reservation(buyer).await.unwrap().expires_at, time(end), "{now}");
    assert_eq!(shop.ttl(buyer).await, Some(time(end).as_second()), "{now}");
}

#[tokio::test]
async fn the_shopper_has_two_minutes_more_and_never_less_than_before() {
    for (now, end, delay) in [
        ("2026-11-01T11:40:00Z", "2026-11-01T12:05:00Z", 900),
        ("2026-11-01T12:01:00Z", "2026-11-01T12:05:00Z", 240),
        ("2026-11-01T12:03:00Z", "2026-11-01T12:05:00Z", 120),
        ("2026-11-01T12:03:00.001Z", "2026-11-01T12:05:01Z", 121),
        ("2026-11-01T12:04:59.5Z", "2026-11-01T12:07:00Z", 121),
        ("2026-11-01T12:30:00Z", "2026-11-01T12:32:00Z", 120),
    ] {
        let (shop, buyer) = stage_read(Stage::Declined).await;
        prolongs(&shop, &buyer, now, end, delay).await;
    }
}

/// The buyer's first payment is declined; the hold may be prolonged until 12:10. The stream is read up to here.
async fn declined_with_a_latest_end() -> (Shop, Buyer) {
    let shop = Shop::open().await;
    let buyer = Buyer { latest_end: Some(time("2026-11-01T12:10:00Z")), ..Buyer::first() };
    shop.bring(&buyer, Stage::Declined).await;
    shop.dynamo.reservation_records();
    (shop, buyer)
}

#[tokio::test]
async fn no_failed_payment_prolongs_the_hold_beyond_its_latest_end() {
    for (now, end, delay) in [
        ("2026-11-01T12:04:00Z", "2026-11-01T12:06:00Z", 120),
        ("2026-11-01T12:08:00Z", "2026-11-01T12:10:00Z", 120),
        ("2026-11-01T12:09:30.5Z", "2026-11-01T12:10:00Z", 30),
    ] {
        let (shop, buyer) = declined_with_a_latest_end().await;
        prolongs(&shop, &buyer, now, end, delay).await;
    }
}

/// The message at the end of the hold comes at once, and ends hold and order as it always does.
#[tokio::test]
async fn a_payment_that_fails_after_the_latest_end_ends_the_hold_and_the_order() {
    for now in ["2026-11-01T12:10:00Z", "2026-11-01T12:30:00Z"] {
        let (shop, buyer) = declined_with_a_latest_end().await;
        shop.clock.set(now);
        for _ in 0..2 {
            assert_eq!(on(&shop, "ok").await, status("expired"), "{now}");
        }
        let order = shop.order(&buyer).await;
        let seen = (OrderStatus::Expired, PaymentStatus::Failed, StockStatus::Released);
        assert_eq!((order.statuses(shop.now()), order.pay_by), (seen, time("2026-11-01T12:10:00Z")), "{now}");
        let again = shop.uncounted().purchases().start_again(&order, &buyer.method, shop.now()).await.unwrap();
        assert_eq!(again, StartOutcome::ReservationEnded, "{now}");
        assert_eq!(only_message(&shop).await, (time("2026-11-01T12:10:00Z"), 0), "{now}");

        let messages = shop.queue.take_event();
        assert!(test_shop::queue(&shop.wire::<ExpireReservation>(&Calls::new()), messages).await.is_empty());
        let records = shop.dynamo.reservation_event();
        assert_eq!(test_shop::stream(&shop.wire::<ReleaseStock>(&Calls::new()), records).await, None);
        assert_eq!((shop.reservation(&buyer).await, shop.units(&demo()).await), (None, (100, 0, 0)), "{now}");
        assert_eq!(shop.order(&buyer).await.status, OrderStatus::Expired, "{now}");
    }
}

#[tokio::test]
async fn the_reason_is_in_the_history() {
    for (event, reason) in [
        ("ok", "card-declined"),
        ("gateways-unavailable", "No payment gateway is available right now."),
        ("no-reason", "The payment failed."),
    ] {
        let (shop, buyer) = at(Stage::Declined).await;
        on(&shop, event).await.unwrap();
        assert_eq!(shop.order(&buyer).await.history.last().unwrap().reason.as_deref(), Some(reason));
    }
}

/// The task writes once, however often it runs. The record of this write may come again: it has the promised end, not a later one.
#[tokio::test]
async fn the_same_task_again_changes_nothing_and_the_same_record_sends_the_message_again() {
    let (shop, _) = stage_read(Stage::Declined).await;
    shop.clock.set("2026-11-01T12:04:00Z");
    on(&shop, "ok").await.unwrap();
    let (schedule, records) = (shop.wire::<ScheduleExpiry>(&Calls::new()), shop.dynamo.reservation_event());
    assert_eq!(stream_batch(&schedule, records.clone()).await, None);
    let before = shop.everything().await;
    shop.clock.set("2026-11-01T12:05:00Z");
    assert_eq!(on(&shop, "ok").await, status("awaiting_payment"));
    assert_eq!(shop.everything().await, before);
    assert!(scheduled(&shop).await.is_empty(), "there is no other record");
    assert_eq!(stream_batch(&schedule, records).await, None);
    let messages: Vec<_> =
        shop.queue.sent().into_iter().map(|sent| (sent.body["expires_at"].clone(), sent.delay_seconds)).collect();
    let end = json!("2026-11-01T12:06:00Z");
    assert_eq!(messages, [(end.clone(), 120), (end, 60)]);
}

/// Until the queue takes the message, TTL and `reconcile` would end the hold.
#[tokio::test]
async fn a_message_that_cannot_be_sent_fails_nothing_and_is_sent_later() {
    let (shop, buyer) = stage_read(Stage::Declined).await;
    shop.queue.fail(true);
    assert_eq!(on(&shop, "ok").await, status("awaiting_payment"));
    assert_eq!(shop.order(&buyer).await.status, OrderStatus::AwaitingPayment);
    assert!(shop.ttl(&buyer).await.is_some());
    let (schedule, records) = (shop.wire::<ScheduleExpiry>(&Calls::new()), shop.dynamo.reservation_event());
    assert!(stream_batch(&schedule, records.clone()).await.is_some(), "the record comes again");
    shop.queue.fail(false);
    assert_eq!((stream_batch(&schedule, records).await, shop.expiries_sent().len()), (None, 1));
}

#[tokio::test]
async fn without_a_reservation_there_is_nothing_to_wait_for() {
    let (shop, buyer) = stage_read(Stage::Pending).await;
    shop.remove_reservation(&buyer).await;
    for _ in 0..2 {
        assert_eq!(on(&shop, "ok").await, status("failed"));
    }
    let order = shop.order(&buyer).await;
    assert_eq!((order.status, order.history.len()), (OrderStatus::Failed, 2));
    assert!(shop.queue.sent().is_empty() && scheduled(&shop).await.is_empty());
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    cannot_read::<FailOrder>(&at(Stage::Pending).await.0, &["fail-order/malformed", "fail-order/missing-shopper"]).await;
}
