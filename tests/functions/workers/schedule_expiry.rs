//! `schedule-expiry` on the stream of a real DynamoDB engine: every hold gets a message for its end, whatever queue and stream do.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use std::collections::{BTreeMap, BTreeSet};

use domain::{AttemptStatus, ReservationId};
use expire_reservation::ExpireReservation;
use kit::workers::{EventRecord, StreamEvent};
use schedule_expiry::ScheduleExpiry;
use serde_json::{Value, json};
use store::Ending;
use system_tests::{Repository, template};
use test_aws::{Calls, Sent, event_as};
use test_shop::{Buyer, END, Shop, Stage, demo};

use super::{
    DELAYS, Forwarder, at, comes_again_from_its_first_record, overcomes_one_fault, passes_on_what_is_missing_after_a_death,
};
use crate::scheduled;

/// Hands over a batch. Returns the sequence number from which the stream continues.
async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String> {
    test_shop::stream_batch(&shop.wire::<ScheduleExpiry>(calls), event).await
}

/// Hands over a sample event, which must be handled. Returns the ids and the ends in the messages.
async fn on(shop: &Shop, event: &str) -> Vec<(Value, Value)> {
    let event = event_as(&format!("schedule-expiry/{event}.json"));
    assert_eq!(handle(shop, &Calls::new(), event).await, None);
    shop.queue.sent().into_iter().map(|sent| (sent.body["reservation_id"].clone(), sent.body["expires_at"].clone())).collect()
}

/// A shop with this many holds, and the stream's records of them.
async fn with_holds(holds: u32) -> (Shop, StreamEvent) {
    let shop = Shop::open().await;
    for number in 0..holds {
        shop.bring(&Buyer::number(number), Stage::Held).await;
    }
    let event = shop.dynamo.reservation_event();
    assert_eq!(event.records.len(), usize::try_from(holds).unwrap());
    (shop, event)
}

/// How many messages each reservation has.
fn messages(shop: &Shop) -> BTreeMap<ReservationId, usize> {
    let mut messages = BTreeMap::new();
    for Sent { body, .. } in shop.queue.sent() {
        *messages.entry(serde_json::from_value(body["reservation_id"].clone()).unwrap()).or_default() += 1;
    }
    messages
}

/// The function as its tests share it with others.
struct Scheduler;

impl Forwarder for Scheduler {
    const OPERATION: &str = "SendMessageBatch";

    async fn batch(records: u32) -> (Shop, StreamEvent) {
        with_holds(records).await
    }

    async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String> {
        handle(shop, calls, event).await
    }

    fn passed_on(shop: &Shop) -> usize {
        messages(shop).len()
    }
}

/// The first of these records.
fn first_of(event: &StreamEvent) -> Option<String> {
    event.records[0].change.sequence_number.clone()
}

#[tokio::test]
async fn a_new_hold_gets_one_message_for_its_end() {
    let (shop, buyer) = at(Stage::Held).await;
    let before = shop.everything().await;
    let sent = scheduled(&shop).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body, json!({"reservation_id": buyer.id, "shopper": buyer.shopper, "expires_at": END}));
    assert_eq!((sent[0].delay_seconds, shop.expiries_sent().len()), (240, 1));
    assert_eq!(shop.everything().await, before);
}

/// A record that is late gets its message at once. SQS delays no message by more than a quarter of an hour.
#[tokio::test]
async fn the_message_comes_at_the_end_of_the_hold_or_at_once_or_after_a_quarter_of_an_hour() {
    for (now, delay) in DELAYS.into_iter().chain([(END, 0), ("2026-11-02T12:04:00Z", 0)]) {
        let (shop, _) = at(Stage::Held).await;
        shop.clock.set(now);
        let sent = scheduled(&shop).await;
        assert_eq!((sent.len(), sent[0].delay_seconds, &sent[0].body["expires_at"]), (1, delay, &json!(END)), "{now}");
    }
}

#[tokio::test]
async fn a_hold_that_a_failed_payment_prolonged_gets_a_message_for_its_new_end() {
    let (shop, buyer) = at(Stage::Pending).await;
    assert_eq!(scheduled(&shop).await.len(), 1, "for its first end");
    let order = shop.order(&buyer).await;
    shop.attempt(&buyer, 1, "sandbox", AttemptStatus::Declined).await;
    let later = "2026-11-01T12:07:30Z";
    shop.clock.set("2026-11-01T12:05:00.5Z");
    let purchases = shop.uncounted().purchases();
    purchases.payment_failed(&order, 1, later.parse().unwrap(), "declined", shop.now()).await.unwrap();
    let sent = scheduled(&shop).await;
    assert_eq!((sent.len(), sent[0].delay_seconds, &sent[0].body["expires_at"]), (1, 150, &json!(later)));
}

#[tokio::test]
async fn each_sample_event_gets_its_messages() {
    let first = |end: &str| (json!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D"), json!(end));
    let second = || (json!("demo.01JD3V3Z5T0000000000000000"), json!(END));
    let prolonged = || first("2026-11-01T12:07:00Z");
    for (event, expected) in [
        ("ok", vec![first(END)]),
        ("prolonged", vec![prolonged()]),
        ("delivered-twice", vec![first(END), first(END)]),
        ("several", vec![first(END), second(), prolonged()]),
        ("paying", vec![]),
        ("purchased", vec![]),
        ("deleted", vec![]),
        ("unpaid-ends", vec![]),
        // The record that cannot be read would read no better again.
        ("malformed-image", vec![second()]),
    ] {
        let (shop, _) = at(Stage::Held).await;
        assert_eq!(on(&shop, event).await, expected, "{event}");
    }
}

/// The filter of the template's mapping and the function must agree, also on the items that are not reservations.
#[tokio::test]
async fn the_streams_filter_passes_the_records_that_get_a_message_and_no_others() {
    let repository = Repository::read();
    let mut seen = BTreeSet::new();
    for stage in Stage::ALL {
        let (shop, buyer) = at(stage).await;
        shop.uncounted().cooling_shoppers().count(&buyer.shopper, &buyer.id, shop.now()).await.unwrap();
        shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
        shop.clock.advance_seconds(2 * 86_400);
        shop.dynamo.sweep_ttl();
        for record in shop.dynamo.reservation_records() {
            let as_json = serde_json::to_value(&record).unwrap();
            let passes = template::passes(&repository.template["Resources"]["ScheduleExpiryHolds"], &as_json);
            let before = shop.queue.sent().len();
            assert_eq!(handle(&shop, &Calls::new(), of(vec![record])).await, None, "{stage:?}: {as_json}");
            assert_eq!(shop.queue.sent().len() - before, usize::from(passes), "{stage:?}: {as_json}");
            seen.insert((as_json["eventName"].as_str().unwrap().to_owned(), passes));
        }
    }
    let kinds = [("INSERT", false), ("INSERT", true), ("MODIFY", false), ("MODIFY", true), ("REMOVE", false)];
    assert_eq!(seen, kinds.map(|(name, passes)| (name.to_owned(), passes)).into());
}

fn of(records: Vec<EventRecord>) -> StreamEvent {
    let mut event = StreamEvent::default();
    event.records = records;
    event
}

#[tokio::test]
async fn ten_messages_go_in_one_request() {
    for (holds, requests) in [(1, 1), (10, 1), (11, 2), (25, 3)] {
        let (shop, event) = with_holds(holds).await;
        let calls = Calls::new();
        assert_eq!(handle(&shop, &calls, event).await, None);
        assert_eq!((calls.count("SendMessageBatch"), calls.total()), (requests, requests), "{holds} holds");
        let expected = (0..holds).map(|number| (Buyer::number(number).id, 1)).collect();
        assert_eq!(messages(&shop), expected, "{holds} holds");
    }
    let (shop, calls) = (Shop::open().await, Calls::new());
    assert_eq!(handle(&shop, &calls, event_as("schedule-expiry/deleted.json")).await, None);
    assert_eq!((handle(&shop, &calls, StreamEvent::default()).await, calls.total()), (None, 0));
}

/// Messages that were taken are sent again, too: they come twice.
#[tokio::test]
async fn a_batch_of_which_the_queue_takes_only_some_comes_again_until_every_hold_has_a_message() {
    for refused in [0..1, 0..5, 0..10, 0..14, 0..25, 9..10, 10..11, 12..20, 24..25] {
        let (shop, event) = with_holds(25).await;
        shop.queue.refuse(refused.clone());
        assert_eq!(handle(&shop, &Calls::new(), event.clone()).await, first_of(&event), "{refused:?} are refused");
        assert_eq!(messages(&shop).len(), 25 - refused.len(), "the others are taken at once");
        assert_eq!(handle(&shop, &Calls::new(), event).await, None, "{refused:?} are refused");
        let numbers: Vec<usize> = messages(&shop).into_values().collect();
        assert_eq!((numbers.len(), numbers.iter().sum::<usize>()), (25, 50 - refused.len()), "{refused:?} are refused");
    }
}

#[tokio::test]
async fn a_batch_that_could_not_be_sent_comes_again_from_its_first_record() {
    comes_again_from_its_first_record::<Scheduler>().await;
    let (shop, event) = with_holds(3).await;
    shop.queue.fail(true);
    assert_eq!(handle(&shop, &Calls::new(), event.clone()).await, first_of(&event));
    assert!(shop.queue.sent().is_empty());
}

#[tokio::test]
async fn one_fault_is_overcome() {
    overcomes_one_fault::<Scheduler>().await;
}

#[tokio::test]
async fn a_run_may_die_between_stream_and_queue_and_the_same_batch_again_sends_what_is_missing() {
    passes_on_what_is_missing_after_a_death::<Scheduler>().await;
}

/// Nor does a record that comes after the end: its message finds nothing to end.
#[tokio::test]
async fn messages_of_a_record_that_comes_again_end_the_hold_once() {
    let (shop, buyer) = at(Stage::Held).await;
    let event = shop.dynamo.reservation_event();
    for (now, is_held) in [("2026-11-01T12:02:00Z", true), (END, false), ("2026-11-01T12:30:00Z", false)] {
        shop.clock.set(now);
        assert_eq!(handle(&shop, &Calls::new(), event.clone()).await, None, "{now}");
        let expire: ExpireReservation = shop.wire(&Calls::new());
        assert!(test_shop::queue(&expire, shop.queue.take_event()).await.is_empty(), "{now}");
        assert_eq!(shop.reservation(&buyer).await.is_some(), is_held, "{now}");
    }
    let removed = shop.dynamo.reservation_records();
    assert_eq!(removed.iter().filter(|record| record.event_name == "REMOVE").count(), 1);
    assert_eq!(shop.units(&demo()).await, (99, 1, 0), "`release-stock` releases them");
}
