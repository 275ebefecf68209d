//! The three tables on a real engine: dynoxide in this process, or the emulator at `FLASH_SALE_STORE_ENDPOINT`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_sdk_dynamodb::Client;
use dynoxide::{
    Database,
    actions::{get_records::GetRecordsRequest, get_shard_iterator::GetShardIteratorRequest},
};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{
    calls::Calls,
    tables::{self, Names},
    time::{EngineClock, FixedClock},
    wire::{Wire, client},
};

/// If set, the store's tests use the server at this address, which must be running.
const ENDPOINT_VARIABLE: &str = "FLASH_SALE_STORE_ENDPOINT";

/// Three empty tables for one test. Dropping this deletes them.
pub struct Dynamo {
    names: Names,
    endpoint: String,
    engine: Engine,
}

enum Engine {
    /// In this process. Remembers the position up to which each stream was read.
    Dynoxide { database: Database, server: JoinHandle<()>, read_up_to: Mutex<HashMap<String, String>>, time: Time },
    /// On a server.
    Server,
}

/// The clock that TTL uses.
#[derive(Clone, Copy)]
enum Time {
    /// The test's own clock.
    OfTheTest,
    /// The real clock, as on a server.
    Real,
}

impl Dynamo {
    /// Starts the engine, or connects to the server, and makes the tables. TTL uses the real clock. A test must not
    /// write a `ttl` that this clock can overtake, because a server may then delete the item at any moment. Dropping
    /// the tables checks that.
    pub async fn start() -> Self {
        match std::env::var(ENDPOINT_VARIABLE) {
            Ok(endpoint) if !endpoint.is_empty() => Self::make_tables(endpoint, Engine::Server).await,
            _ => Self::serve(Database::memory().unwrap(), Time::Real).await,
        }
    }

    /// Makes the tables on the server at `endpoint`, which must be running. TTL is off, because a test may write an
    /// item that is overdue by the real clock and must still find it.
    pub async fn at(endpoint: &str) -> Self {
        let dynamo = Self::without_tables(endpoint.to_owned(), Engine::Server);
        tables::create_without_ttl(&dynamo.client(), &dynamo.names).await;
        dynamo
    }

    /// Starts dynoxide on the test's own clock, which determines TTL and the times of stream records.
    pub async fn start_at(clock: &FixedClock) -> Self {
        Self::serve(Database::memory_with_clock(Arc::new(EngineClock(clock.clone()))).unwrap(), Time::OfTheTest).await
    }

    async fn serve(database: Database, time: Time) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        Self::make_tables(endpoint, Engine::Dynoxide { database, server, read_up_to: Mutex::default(), time }).await
    }

    async fn make_tables(endpoint: String, engine: Engine) -> Self {
        let dynamo = Self::without_tables(endpoint, engine);
        tables::create(&dynamo.client(), &dynamo.names).await;
        dynamo
    }

    /// If making the tables fails, dropping this deletes those that were made.
    fn without_tables(endpoint: String, engine: Engine) -> Self {
        let prefix = unique_prefix();
        let name = |table| format!("{prefix}-{table}");
        let names = Names { stock: name("stock"), reservation: name("reservation"), order: name("order") };
        Self { names, endpoint, engine }
    }

    /// Whether the consumed capacity is computed as DynamoDB does. Other emulators may report any figure.
    pub fn measures_capacity(&self) -> bool {
        matches!(self.engine, Engine::Dynoxide { .. })
    }

    /// A client that does not count its requests.
    pub fn client(&self) -> Client {
        self.client_with(&Calls::new())
    }

    /// A client that counts its requests, with the count.
    pub fn counted(&self) -> (Client, Calls) {
        let calls = Calls::new();
        (self.client_with(&calls), calls)
    }

    /// A client that counts its requests in `calls`.
    pub fn client_with(&self, calls: &Calls) -> Client {
        client!(aws_sdk_dynamodb, Wire::http(calls), calls, self.endpoint.as_str())
    }

    /// The stock table's name.
    pub fn stock_table(&self) -> &str {
        &self.names.stock
    }

    /// The reservation table's name.
    pub fn reservation_table(&self) -> &str {
        &self.names.reservation
    }

    /// The order table's name.
    pub fn order_table(&self) -> &str {
        &self.names.order
    }

    /// The stock table's stream records since the last call.
    pub fn stock_records(&self) -> Vec<EventRecord> {
        self.records(&self.names.stock)
    }

    /// The reservation table's stream records since the last call.
    pub fn reservation_records(&self) -> Vec<EventRecord> {
        self.records(&self.names.reservation)
    }

    /// The stock table's stream records since the last call, as Lambda passes them to a function.
    pub fn stock_event(&self) -> Event {
        as_event(self.stock_records())
    }

    /// The reservation table's stream records since the last call, as Lambda passes them to a function.
    pub fn reservation_event(&self) -> Event {
        as_event(self.reservation_records())
    }

    /// The order table's stream records since the last call.
    pub fn order_records(&self) -> Vec<EventRecord> {
        self.records(&self.names.order)
    }

    /// The order table's stream records since the last call, as Lambda passes them to a function.
    pub fn order_event(&self) -> Event {
        as_event(self.order_records())
    }

    /// Deletes the items whose `ttl` has passed, as DynamoDB does eventually. Returns how many.
    pub fn sweep_ttl(&self) -> usize {
        self.dynoxide().0.sweep_ttl().unwrap()
    }

    fn records(&self, table: &str) -> Vec<EventRecord> {
        let (database, read_up_to) = self.dynoxide();
        let mut read_up_to = read_up_to.lock().unwrap();
        let position = read_up_to.entry(table.to_owned()).or_insert_with(|| first_position(database, table));
        let mut records = Vec::new();
        loop {
            let request = GetRecordsRequest { shard_iterator: position.clone(), limit: None };
            let page = database.get_records(request).unwrap();
            *position = page.next_shard_iterator.expect("the stream goes on");
            if page.records.is_empty() {
                return records;
            }
            records.extend(page.records.iter().map(|record| {
                let record = serde_json::to_value(record).unwrap();
                serde_json::from_value::<EventRecord>(record).expect("a stream record is what Lambda hands over")
            }));
        }
    }

    fn dynoxide(&self) -> (&Database, &Mutex<HashMap<String, String>>) {
        match &self.engine {
            Engine::Dynoxide { database, read_up_to, .. } => (database, read_up_to),
            Engine::Server => panic!("streams and TTL are read from dynoxide only: run this test without {ENDPOINT_VARIABLE}"),
        }
    }
}

impl Drop for Dynamo {
    fn drop(&mut self) {
        match &self.engine {
            Engine::Dynoxide { server, database, time, .. } => {
                server.abort();
                if matches!(time, Time::Real) && !std::thread::panicking() {
                    let overtaken = database.sweep_ttl().unwrap();
                    assert_eq!(
                        overtaken, 0,
                        "the real clock has overtaken the `ttl` of {overtaken} items: a server deletes them at any moment"
                    );
                }
            }
            Engine::Server => {
                let client = self.client();
                let names = self.names.clone();
                // A destructor cannot wait in the test's runtime, so it waits in its own.
                let deleted = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        for table in names.all() {
                            let _ = client.delete_table().table_name(table).send().await;
                        }
                    });
                });
                let _ = deleted.join();
            }
        }
    }
}

fn first_position(database: &Database, table: &str) -> String {
    let describe = serde_json::from_value(json!({"TableName": table})).unwrap();
    let description = serde_json::to_value(database.describe_table(describe).unwrap()).unwrap();
    let request = GetShardIteratorRequest {
        stream_arn: description["Table"]["LatestStreamArn"].as_str().expect("the table has a stream").to_owned(),
        shard_id: dynoxide::streams::shard_id(table),
        shard_iterator_type: "TRIM_HORIZON".to_owned(),
        sequence_number: None,
    };
    database.get_shard_iterator(request).unwrap().shard_iterator.unwrap()
}

fn as_event(records: Vec<EventRecord>) -> Event {
    let mut event = Event::default();
    event.records = records;
    event
}

/// A prefix that is unique among tests that run at the same time, in several processes, on one server.
fn unique_prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("test-{}-{}-{}", since.as_millis(), std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
