//! `publish-orders` on the stream of a real DynamoDB engine: the shop hears of every change of an order, whatever bus and stream do.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod rebuild;

use std::collections::{BTreeMap, BTreeSet};

use domain::{Notice, OrderId};
use insta::assert_snapshot;
use kit::workers::{EventRecord, StreamEvent};
use messages::OrderChanged;
use publish_orders::PublishOrders;
use serde_json::{Value, json};
use system_tests::{Repository, template};
use test_aws::{Calls, event_as, every_interleaving};
use test_shop::{Buyer, ORDER_EVENTS, Shop, Stage};

use super::{Forwarder, at, comes_again_from_its_first_record, overcomes_one_fault, passes_on_what_is_missing_after_a_death};

/// Hands over a batch. Returns the sequence number from which the stream continues.
async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String> {
    test_shop::stream_parts(&shop.wire::<PublishOrders>(calls), event).await
}

/// The events on the bus.
fn published(shop: &Shop) -> Vec<OrderChanged> {
    let details = shop.bus.events().into_iter().map(|event| {
        assert_eq!(
            (event.bus.as_str(), event.source.as_str(), event.detail_type.as_str()),
            (ORDER_EVENTS, "flash-sale", "OrderChanged")
        );
        serde_json::from_value(event.detail).unwrap()
    });
    details.collect()
}

/// A shop with this many orders, and the stream's records of them.
async fn with_orders(orders: u32) -> (Shop, StreamEvent) {
    let shop = Shop::open().await;
    for number in 0..orders {
        shop.bring(&Buyer::number(number), Stage::Pending).await;
    }
    let mut event = shop.dynamo.order_event();
    event.records.retain(passes);
    assert_eq!(event.records.len(), usize::try_from(orders).unwrap());
    (shop, event)
}

/// The function as its tests share it with others.
struct Publisher;

impl Forwarder for Publisher {
    const OPERATION: &str = "PutEvents";

    async fn batch(records: u32) -> (Shop, StreamEvent) {
        with_orders(records).await
    }

    async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String> {
        handle(shop, calls, event).await
    }

    fn passed_on(shop: &Shop) -> usize {
        counts(shop).len()
    }
}

/// Whether the filter of the template's mapping passes a record.
fn passes(record: &EventRecord) -> bool {
    let as_json = serde_json::to_value(record).unwrap();
    template::passes(&Repository::read().template["Resources"]["PublishOrdersChanges"], &as_json)
}

fn of(records: Vec<EventRecord>) -> StreamEvent {
    let mut event = StreamEvent::default();
    event.records = records;
    event
}

fn number_of(record: &EventRecord) -> Option<String> {
    record.change.sequence_number.clone()
}

/// How many events each order has.
fn counts(shop: &Shop) -> BTreeMap<OrderId, usize> {
    published(shop).into_iter().fold(BTreeMap::new(), |mut counts, event| {
        *counts.entry(event.order_id).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn an_event_says_all_of_its_order_but_nothing_of_a_person() {
    let (shop, buyer) = at(Stage::Completed).await;
    let told = shop.uncounted().orders().told(&buyer.id, 1, Notice::OrderCompleted).await.unwrap();
    assert!(told || shop.order(&buyer).await.untold.is_none());
    shop.request_refund(&buyer, "one", 400).await;
    assert_eq!(handle(&shop, &Calls::new(), shop.dynamo.order_event()).await, None);
    let events = shop.bus.events();
    let last = events.last().unwrap();
    assert_snapshot!(last.detail, @r#"{"attempt":1,"created_at":"2026-11-01T12:00:00Z","history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"completed"},{"at":"2026-11-01T12:01:00Z","event":"refund_requested"}],"inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"completed","pay_by":"2026-11-01T12:05:00Z","payment_status":"completed","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","quantity":1,"refunded":{"amount_minor":0,"currency":"USD"},"revision":4,"transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","updated_at":"2026-11-01T12:01:00Z","version":1}"#);
    for event in &events {
        let text = event.detail.to_string();
        let order = shop.order(&buyer).await;
        let address = order.shipping_address.unwrap();
        for personal in
            [order.shopper.as_str(), &address.address_line1, &address.city, "postal_code", "payment_method", "sandbox:ok"]
        {
            assert!(!text.contains(personal), "{personal} is in {text}");
        }
    }
}

#[tokio::test]
async fn each_sample_event_is_published_in_the_order_of_its_revisions() {
    for (event, revisions) in [
        ("ok", vec![1]),
        ("several", vec![1, 2, 5]),
        ("delivered-twice", vec![2, 2]),
        // Only a version without revisions has written it.
        ("without-revision", vec![]),
        ("attempt", vec![]),
        ("deleted", vec![]),
        // The record that cannot be read would read no better again.
        ("malformed-image", vec![2]),
    ] {
        let shop = Shop::open().await;
        assert_eq!(handle(&shop, &Calls::new(), event_as(&format!("publish-orders/{event}.json"))).await, None, "{event}");
        let found: Vec<u64> = published(&shop).iter().map(|event| event.revision).collect();
        assert_eq!(found, revisions, "{event}");
    }
}

/// The filter of the template's mapping and the function must agree, also on the items that are not orders.
#[tokio::test]
async fn the_streams_filter_passes_the_records_that_are_published_and_no_others() {
    let mut seen = BTreeSet::new();
    for stage in Stage::ALL {
        let (shop, _) = at(stage).await;
        shop.uncounted().provider_events().queued(&domain::GatewayName("stripe".into()), "evt_1", shop.now()).await.unwrap();
        for record in shop.dynamo.order_records() {
            let (passes, sk) = (passes(&record), serde_json::to_value(&record.change.keys).unwrap()["sk"]["S"].clone());
            let before = shop.bus.events().len();
            assert_eq!(handle(&shop, &Calls::new(), of(vec![record])).await, None, "{stage:?}: {sk}");
            assert_eq!(shop.bus.events().len() - before, usize::from(passes), "{stage:?}: {sk}");
            let kind = sk.as_str().unwrap().split('#').next().unwrap().to_owned();
            seen.insert((kind, passes));
        }
    }
    for (kind, passes) in [("ORDER", true), ("PAYMENT", false), ("SANDBOX", false), ("EVENT", false)] {
        assert!(seen.contains(&(kind.to_owned(), passes)) && !seen.contains(&(kind.to_owned(), !passes)), "{kind}: {seen:?}");
    }
}

#[tokio::test]
async fn ten_events_go_in_one_request() {
    for (orders, requests) in [(1, 1), (10, 1), (11, 2), (25, 3)] {
        let (shop, event) = with_orders(orders).await;
        let calls = Calls::new();
        assert_eq!(handle(&shop, &calls, event).await, None);
        assert_eq!((calls.count("PutEvents"), calls.total()), (requests, requests), "{orders} orders");
        assert_eq!(counts(&shop), (0..orders).map(|number| (Buyer::number(number).id, 1)).collect(), "{orders} orders");
    }
    let (shop, calls) = (Shop::open().await, Calls::new());
    assert_eq!(handle(&shop, &calls, event_as("publish-orders/attempt.json")).await, None);
    assert_eq!((handle(&shop, &calls, StreamEvent::default()).await, calls.total()), (None, 0));
}

/// Events after the first that is refused may have been taken: they come twice.
#[tokio::test]
async fn a_batch_comes_again_from_the_first_event_that_the_bus_refuses() {
    for refused in [0..1, 0..5, 0..10, 3..4, 9..10, 10..11, 12..20, 24..25, 0..25] {
        let (shop, event) = with_orders(25).await;
        shop.bus.refuse(refused.clone());
        let from = handle(&shop, &Calls::new(), event.clone()).await;
        assert_eq!(from, number_of(&event.records[refused.start]), "{refused:?} are refused");
        assert!(counts(&shop).len() >= 25 - refused.len(), "{refused:?}: the others are taken at once");
        assert_eq!(handle(&shop, &Calls::new(), of(event.records[refused.start..].to_vec())).await, None, "{refused:?}");
        assert_eq!(counts(&shop).len(), 25, "{refused:?} are refused");
    }
}

#[tokio::test]
async fn a_batch_that_could_not_be_published_comes_again_from_its_first_record() {
    comes_again_from_its_first_record::<Publisher>().await;
    let (shop, event) = with_orders(3).await;
    shop.bus.fail(true);
    assert_eq!(handle(&shop, &Calls::new(), event.clone()).await, number_of(&event.records[0]));
    assert!(shop.bus.events().is_empty());
}

#[tokio::test]
async fn one_fault_is_overcome() {
    overcomes_one_fault::<Publisher>().await;
}

#[tokio::test]
async fn a_run_may_die_between_stream_and_bus_and_the_same_batch_again_publishes_what_is_missing() {
    passes_on_what_is_missing_after_a_death::<Publisher>().await;
}

/// The run that is slow publishes the older state last: its reader keeps the state with the higher revision.
#[tokio::test]
async fn a_run_that_pauses_while_the_order_changes_does_not_hide_the_change() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Pending).await;
        let before = shop.dynamo.order_event();
        let slow = handle(&shop, &interleaving.calls, before);
        let change = async {
            let order = shop.order(&buyer).await;
            assert!(shop.uncounted().orders().send_again(&order, shop.now()).await.unwrap());
            assert_eq!(handle(&shop, &Calls::new(), shop.dynamo.order_event()).await, None);
        };
        assert_eq!(interleaving.run(slow, change).await.0, None);
        let newest = published(&shop).into_iter().max_by_key(|event| event.revision).unwrap();
        assert_eq!(newest, OrderChanged::of(&shop.order(&buyer).await));
    })
    .await;
}

/// EventBridge takes 256 KB in a request. Ten of the largest events that an order can have fit.
#[test]
fn ten_of_the_largest_events_fit_into_a_request() {
    let mut order = Buyer::first().order_after(domain::OrderStep::Completed, 20);
    // Each attempt starts, fails and has late money that goes back; each refund is requested and ends.
    let lines = usize::try_from(domain::Order::MAX_ATTEMPTS).unwrap() * 4 + domain::Refunds::MOST * 2 + 10;
    let longest = domain::OrderEvent {
        at: "2026-11-01T12:00:00.123456789Z".parse().unwrap(),
        event: domain::OrderLine::LateMoneyReturned,
        reason: Some("x".repeat(10_000)),
    };
    order.history = vec![longest; lines];
    order.transaction_id = Some("x".repeat(300));
    let size = serde_json::to_string(&OrderChanged::of(&order)).unwrap().len();
    assert!(size < 20_000, "{size} bytes");
}

/// The item of a person's order is not written into the log.
#[tokio::test]
async fn an_order_that_cannot_be_read_is_left_out_and_the_next_is_published() {
    let (shop, buyer) = at(Stage::Pending).await;
    let mut records = shop.dynamo.order_records();
    records.retain(passes);
    let mut spoilt = records[0].clone();
    let mut image: Value = serde_json::to_value(&spoilt.change.new_image).unwrap();
    image["status"] = json!({"S": "of_a_later_version"});
    spoilt.change.new_image = serde_json::from_value(image).unwrap();
    assert_eq!(handle(&shop, &Calls::new(), of(vec![spoilt, records[0].clone()])).await, None);
    assert_eq!(counts(&shop), [(buyer.id, 1)].into());
}
