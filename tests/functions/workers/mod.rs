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

use kit::{QueueFunction, StreamFunction, workers::StreamEvent};
use parts::FromParts;
use test_aws::{Calls, Fault, event_as, every_crash, passing_faults};
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

/// A worker that passes on every record of a batch, so that what it passes on may come twice and may not be missing.
trait Forwarder {
    /// The operation by which it passes on up to ten records.
    const OPERATION: &str;

    /// A shop with this many records, and the batch of them.
    async fn batch(records: u32) -> (Shop, StreamEvent);

    /// Hands over a batch. Returns the sequence number from which the stream continues.
    async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String>;

    /// How many records were passed on, once or more often.
    fn passed_on(shop: &Shop) -> usize;
}

/// While its operation fails, a batch comes again from its first record. Afterwards it is passed on.
async fn comes_again_from_its_first_record<F: Forwarder>() {
    for fault in Fault::ALL {
        let (shop, event) = F::batch(3).await;
        let first = event.records.first().and_then(|record| record.change.sequence_number.clone());
        let calls = Calls::new();
        calls.fail_always(F::OPERATION, fault);
        assert_eq!(F::handle(&shop, &calls, event.clone()).await, first, "{fault:?}");
        calls.heal();
        assert_eq!(F::handle(&shop, &calls, event).await, None, "{fault:?}");
        assert_eq!(F::passed_on(&shop), 3, "{fault:?}");
    }
}

/// A run overcomes one fault.
async fn overcomes_one_fault<F: Forwarder>() {
    for (operation, fault) in passing_faults(&[F::OPERATION]) {
        let (shop, event) = F::batch(12).await;
        let calls = Calls::new();
        calls.fail_next(operation, fault);
        assert_eq!(F::handle(&shop, &calls, event).await, None, "{fault:?}");
        assert_eq!(F::passed_on(&shop), 12, "{fault:?}");
    }
}

/// A run may die at any request: the same batch again passes on what is missing.
async fn passes_on_what_is_missing_after_a_death<F: Forwarder>() {
    every_crash(async |calls| {
        let (shop, event) = F::batch(12).await;
        let died = F::handle(&shop, calls, event.clone()).await;
        assert!(died.is_some() || F::passed_on(&shop) == 12, "a batch is done only when every record was passed on");
        calls.heal();
        assert_eq!(F::handle(&shop, calls, event).await, None, "after {died:?}");
        assert_eq!(F::passed_on(&shop), 12, "after {died:?}");
    })
    .await;
}
