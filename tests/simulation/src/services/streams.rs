//! The three streams and their event source mappings: in order, at least once, late. A batch continues where its consumer
//! reported a failure. Reads the records that the tables keep, and deletes what TTL deletes. It writes nothing else.

use std::sync::Arc;

use kit::workers::{EventRecord, StreamEvent};

use crate::{
    faults::Fault,
    services::{
        environments,
        tables::{ORDER, RESERVATION, STOCK},
    },
    world::World,
};

/// The mappings of the template: which table each reads, and for which function.
pub const READERS: [(&str, &str); 4] = [
    (RESERVATION, "release-stock"),
    (RESERVATION, "schedule-expiry"),
    (STOCK, "refresh-availability"),
    (ORDER, "publish-orders"),
];

/// Starts the mappings of all streams.
pub(crate) fn start(world: &Arc<World>) {
    for (reader, (_, function)) in READERS.into_iter().enumerate() {
        world.spawn(follow(Arc::clone(world), reader, function));
    }
}

/// Passes the records of a reader's table to its function, in order.
async fn follow(world: Arc<World>, reader: usize, function: &'static str) {
    let mut records: Vec<EventRecord> = Vec::new();
    let (mut done, mut failures) = (0, 0);
    loop {
        records.extend(world.tables.new_records(reader).into_iter().filter(|record| passes(function, record)));
        if done == records.len() {
            world.tables.changed(reader).await;
            let late = if world.strikes(Fault::StreamLate) { (1_000, 30_000) } else { (50, 1_000) };
            world.pause(late.0, late.1).await;
            continue;
        }
        if done > 0 && world.strikes(Fault::StreamDuplicated) {
            // A poller restarts at an earlier place: earlier records come again, in order.
            done -= 1 + world.chance.index(done.min(5));
        }
        let most = 1 + world.chance.index(10);
        let batch: Vec<EventRecord> = records[done..].iter().take(most).cloned().collect();
        let length = batch.len();
        world.note(|| format!("{function} gets records {done}..{}", done + length));
        let sequence: Vec<Option<String>> = batch.iter().map(|record| record.change.sequence_number.clone()).collect();
        let mut event = StreamEvent::default();
        event.records = batch;
        let handled = match environments::stream(&world, function, event).await {
            Err(_) => 0,
            Ok(answer) => match answer.batch_item_failures.first() {
                Some(failure) => sequence.iter().position(|number| *number == failure.item_identifier).unwrap_or(0),
                None if world.strikes(Fault::HalfStreamBatch) => world.chance.index(length),
                None => length,
            },
        };
        if handled < length {
            world.note(|| format!("{function} goes on from record {}", done + handled));
            failures = if handled == 0 { failures + 1 } else { 0 };
            world.pause(200, 2_000 << failures.min(5)).await;
        } else {
            failures = 0;
        }
        done += handled;
    }
}

/// Whether the filters of a function's mapping pass a record, as in the template.
#[must_use]
pub fn passes(function: &str, record: &EventRecord) -> bool {
    let text = |item: &serde_json::Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    let change = serde_json::to_value(&record.change).unwrap();
    let (before, after) = (text(&change["OldImage"], "status"), text(&change["NewImage"], "status"));
    match function {
        "release-stock" => record.event_name == "REMOVE" && before == "HELD",
        "schedule-expiry" => after == "HELD" && (record.event_name == "INSERT" || before == "PAYING"),
        "publish-orders" => record.event_name != "REMOVE" && text(&change["Keys"], "sk") == "ORDER",
        _ => text(&change["Keys"], "pk").starts_with("SHARD#"),
    }
}

/// TTL: sometimes deletes holds in the seconds after their end. If this history does not have the fault, TTL comes days
/// later.
pub(crate) async fn sweep(world: Arc<World>) {
    while !world.is_quiet() {
        world.pause(500, 8_000).await;
        if world.strikes(Fault::Ttl) && world.tables.sweep_ttl() > 0 {
            world.note(|| "TTL has deleted something".to_owned());
            world.check();
        }
    }
}
