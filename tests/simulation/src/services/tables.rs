//! DynamoDB: dynoxide in this process, called without a socket, and a mirror of every item for the invariants. Nothing
//! else in the simulation writes items.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use aws_lambda_events::dynamodb::EventRecord;
use domain::Clock;
use dynoxide::{
    Database, DynoxideError,
    actions::{get_records::GetRecordsRequest, get_shard_iterator::GetShardIteratorRequest},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use test_aws::TableNames;
use tokio::sync::Notify;

use crate::{services::streams::READERS, time::Time};

pub(crate) const STOCK: &str = "stock";
pub(crate) const RESERVATION: &str = "reservation";
pub(crate) const ORDER: &str = "order";

/// An item's table, partition key and sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) table: String,
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// The sender of a request.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) invocation: u64,
    /// The request took seconds to arrive.
    pub(crate) is_late: bool,
}

/// Every item in DynamoDB's JSON.
pub(crate) type Mirror = BTreeMap<Key, Value>;

/// The three tables.
pub(crate) struct Tables {
    database: Database,
    mirror: Mutex<Mirror>,
    time: Time,
    /// Reservations that were deleted, with the time of the deletion in seconds since 1970.
    ended: Mutex<BTreeMap<String, i64>>,
    /// For each shopper's partition key, the reservations that were deleted.
    ended_of: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// For each reservation, the invocation that wrote it first.
    made_by: Mutex<BTreeMap<String, u64>>,
    came_back: Mutex<BTreeSet<String>>,
    /// How far each reader of a stream has read it.
    read_up_to: Mutex<BTreeMap<usize, String>>,
    /// Signals a write to the table that a reader of a stream follows.
    changed: [Notify; READERS.len()],
}

/// The names of the tables, for creating them.
pub(crate) fn names() -> TableNames {
    TableNames { stock: STOCK.into(), reservation: RESERVATION.into(), order: ORDER.into() }
}

/// A text attribute of an item.
pub(crate) fn text<'i>(item: &'i Value, attribute: &str) -> &'i str {
    item[attribute]["S"].as_str().unwrap_or_default()
}

/// A number attribute of an item.
pub(crate) fn number(item: &Value, attribute: &str) -> i64 {
    item[attribute]["N"].as_str().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Tables {
    /// A database without tables.
    pub(crate) fn empty(time: &Time) -> Self {
        Self {
            database: Database::memory_with_clock(Arc::new(test_aws::EngineClock(time.clone()))).unwrap(),
            mirror: Mutex::default(),
            time: time.clone(),
            ended: Mutex::default(),
            ended_of: Mutex::default(),
            made_by: Mutex::default(),
            came_back: Mutex::default(),
            read_up_to: Mutex::default(),
            changed: READERS.map(|_| Notify::new()),
        }
    }

    /// Whether a reservation exists without its units, because the run that made it wrote it late or twice.
    pub(crate) fn came_back(&self, reservation: &str) -> bool {
        self.came_back.lock().unwrap().contains(reservation)
    }

    /// Records which run makes a reservation. A run's late or repeated write may come after the reservation has ended.
    /// It may also come after the run released its units because another reservation existed, which has ended since.
    fn note_opening(&self, by: Sender, operation: &str, request: &Value) {
        if operation != "PutItem" || request["TableName"] != RESERVATION {
            return;
        }
        let id = text(&request["Item"], "reservation_id").to_owned();
        let made_by = *self.made_by.lock().unwrap().entry(id.clone()).or_insert(by.invocation);
        let ulid = id.rsplit('.').next().unwrap_or_default();
        let is_its = |entry: &Value| text(&entry["M"], "r") == ulid;
        let has_units =
            self.look(|items| items.values().any(|it| it["held"]["M"].as_object().is_some_and(|it| it.values().any(is_its))));
        if made_by == by.invocation && (self.ended_at(&id).is_some() || (by.is_late && !has_units)) {
            self.came_back.lock().unwrap().insert(id);
        }
    }

    /// When a reservation was deleted, in seconds since 1970.
    pub(crate) fn ended_at(&self, reservation: &str) -> Option<i64> {
        self.ended.lock().unwrap().get(reservation).copied()
    }

    /// How many reservations with this partition key were deleted.
    pub(crate) fn ended_of(&self, pk: &str) -> i64 {
        i64::try_from(self.ended_of.lock().unwrap().get(pk).map_or(0, BTreeSet::len)).unwrap()
    }

    /// Reads every item.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Mirror) -> T) -> T {
        at(&self.mirror.lock().unwrap())
    }

    /// Waits for a write to the table that this reader of a stream follows.
    pub(crate) async fn changed(&self, reader: usize) {
        self.changed[reader].notified().await;
    }

    /// Executes a request. Returns status and body of the answer.
    pub(crate) fn serve(&self, by: Sender, operation: &str, request: &Value) -> (u16, String) {
        self.note_opening(by, operation, request);
        let db = &self.database;
        let answer = match operation {
            "GetItem" => call(request, |it| db.get_item(it)),
            "PutItem" => call(request, |it| db.put_item(it)),
            "UpdateItem" => call(request, |it| db.update_item(it)),
            "DeleteItem" => call(request, |it| db.delete_item(it)),
            "Query" => call(request, |it| db.query(it)),
            "BatchGetItem" => call(request, |it| db.batch_get_item(it)),
            "TransactWriteItems" => call(request, |it| db.transact_write_items(it)),
            "CreateTable" => call(request, |it| db.create_table(it)),
            "DescribeTable" => call(request, |it| db.describe_table(it)),
            "UpdateTimeToLive" => call(request, |it| db.update_time_to_live(it)),
            other => panic!("the simulation does not know {other}"),
        };
        match answer {
            Ok(body) => {
                for key in written(operation, request) {
                    self.refresh(&key);
                }
                (200, body)
            }
            Err(error) => (error.status_code(), error.to_json()),
        }
    }

    /// Deletes the items whose `ttl` has passed. Returns how many.
    pub(crate) fn sweep_ttl(&self) -> usize {
        let swept = self.database.sweep_ttl().unwrap();
        if swept > 0 {
            let held: Vec<Key> = self.look(|items| items.keys().filter(|key| key.table == RESERVATION).cloned().collect());
            for key in &held {
                self.refresh(key);
            }
        }
        swept
    }

    /// The stream records of a reader's table since its last call.
    pub(crate) fn new_records(&self, reader: usize) -> Vec<EventRecord> {
        let mut read_up_to = self.read_up_to.lock().unwrap();
        let position = read_up_to.entry(reader).or_insert_with(|| self.first_position(READERS[reader].0));
        let mut records = Vec::new();
        loop {
            let request = GetRecordsRequest { shard_iterator: position.clone(), limit: None };
            let page = self.database.get_records(request).unwrap();
            *position = page.next_shard_iterator.expect("the stream goes on");
            if page.records.is_empty() {
                return records;
            }
            let record = |record| serde_json::from_value(serde_json::to_value(record).unwrap()).unwrap();
            records.extend(page.records.iter().map(record));
        }
    }

    fn first_position(&self, table: &str) -> String {
        let describe = serde_json::from_value(json!({"TableName": table})).unwrap();
        let description = serde_json::to_value(self.database.describe_table(describe).unwrap()).unwrap();
        let request = GetShardIteratorRequest {
            stream_arn: description["Table"]["LatestStreamArn"].as_str().expect("the table has a stream").to_owned(),
            shard_id: dynoxide::streams::shard_id(table),
            shard_iterator_type: "TRIM_HORIZON".to_owned(),
            sequence_number: None,
        };
        self.database.get_shard_iterator(request).unwrap().shard_iterator.unwrap()
    }

    fn refresh(&self, key: &Key) {
        let get = json!({
            "TableName": key.table, "ConsistentRead": true, "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}},
        });
        let answer = self.database.get_item(serde_json::from_value(get).unwrap()).unwrap();
        let mut mirror = self.mirror.lock().unwrap();
        if let Some(item) = answer.item {
            mirror.insert(key.clone(), serde_json::to_value(item).unwrap());
        } else {
            let is_reservation = key.table == RESERVATION && key.sk.starts_with("SALE#");
            if let Some(removed) = mirror.remove(key).filter(|_| is_reservation) {
                let (id, now) = (text(&removed, "reservation_id").to_owned(), self.time.now().as_second());
                self.ended.lock().unwrap().insert(id.clone(), now);
                self.ended_of.lock().unwrap().entry(key.pk.clone()).or_default().insert(id);
            }
        }
        let readers = READERS.iter().zip(&self.changed).filter(|((table, _), _)| *table == key.table);
        readers.for_each(|(_, changed)| changed.notify_one());
    }
}

fn call<I: DeserializeOwned, O: Serialize>(
    request: &Value,
    run: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = I::deserialize(request).unwrap_or_else(|error| panic!("the SDK sends what dynoxide reads: {error}"));
    Ok(serde_json::to_string(&run(request)?).unwrap())
}

/// The items that a request writes.
pub(crate) fn written(operation: &str, request: &Value) -> Vec<Key> {
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => vec![key(request)],
        "TransactWriteItems" => {
            let writes = request["TransactItems"].as_array().into_iter().flatten();
            writes.filter_map(|write| write.as_object()?.values().next()).map(key).collect()
        }
        _ => Vec::new(),
    }
}

fn key(write: &Value) -> Key {
    let of = if write["Item"].is_object() { &write["Item"] } else { &write["Key"] };
    Key {
        table: write["TableName"].as_str().unwrap_or_default().to_owned(),
        pk: text(of, "pk").to_owned(),
        sk: text(of, "sk").to_owned(),
    }
}

/// A short description of a request, for the history.
pub(crate) fn about(operation: &str, request: &Value) -> String {
    let names = |keys: Vec<Key>| keys.iter().map(|key| format!("{} {}", key.pk, key.sk)).collect::<Vec<_>>().join(" + ");
    match operation {
        "GetItem" => names(vec![key(request)]),
        "BatchGetItem" => "shards".to_owned(),
        "Query" => "index".to_owned(),
        _ => names(written(operation, request)),
    }
}
