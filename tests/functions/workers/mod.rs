//! The functions that queues, streams and schedules call.

mod expire_reservation;
mod feed_edge;
mod publish_orders;
mod reconcile;
mod refresh_availability;
mod release_stock;
mod schedule_expiry;
mod settle_payment;
mod start_payment;

use kit::{QueueFunction, StreamFunction};
use parts::FromParts;
use test_aws::{Calls, event_as};
use test_shop::{Buyer, Shop, Stage};

/// Times before [`test_shop::END`], with the seconds by which SQS delays the message for it: at most a quarter of an hour.
const DELAYS: [(&str, i64); 5] = [
    ("2026-11-01T11:40:00Z", 900),
    ("2026-11-01T11:50:00Z", 900),
    ("2026-11-01T11:50:01Z", 899),
    ("2026-11-01T12:04:30Z", 30),
    ("2026-11-01T12:04:59.999Z", 1),
];

/// The sale `demo` with one purchase at `stage`.
async fn at(stage: Stage) -> (Shop, Buyer) {
    (Shop::with(stage).await, Buyer::first())
}

/// Hands the messages of a sample event to a worker. Returns the ids of the messages that the queue delivers again.
async fn hand_messages<F: FromParts + QueueFunction>(shop: &Shop, calls: &Calls, event: &str) -> Vec<String> {
    test_shop::queue(&shop.wire::<F>(calls), event_as(&format!("{event}.json"))).await
}

/// Hands the records of a sample event to a worker. Returns the sequence number from which the stream continues.
async fn hand_records<F: FromParts + StreamFunction>(shop: &Shop, calls: &Calls, event: &str) -> Option<String> {
    test_shop::stream(&shop.wire::<F>(calls), event_as(&format!("{event}.json"))).await
}
