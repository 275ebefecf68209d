//! What the functions under measurement talk to: the three tables on dynoxide with the sales of the cases. They are in this
//! process, and every call is counted.
//!
//! The tables have no streams here: nothing reads them, and their records would fill the memory.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use domain::{Quantity, SaleDraft, SignedDuration};
use dynoxide::Database;
use hyper::{Request, body::Incoming};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use test_shop::{Buyer, Shop, draft};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::serving::{self, Answer, Server};

/// The sale in which every shopper wins.
pub const RUSH: &str = "rush";
/// The sale without units.
pub const SOLD_OUT: &str = "sold-out";
/// The sale whose shards the case of bare writes claims from.
pub const BARE: &str = "bare";
/// Shards of [`RUSH`] and [`BARE`], unless a test needs fewer: the most that a sale may have.
pub const SHARDS: u32 = SaleDraft::MOST_SHARDS;
/// A shard has as many units as it can, so that no shopper meets an empty one.
const UNITS_PER_SHARD: u32 = domain::ShardLayout::MAX_UNITS_PER_SHARD;
/// No hold ends during a run.
const HOLD_SECONDS: u32 = 3_600;
const SALE_LASTS: SignedDuration = SignedDuration::from_hours(12);

/// Calls by operation.
pub type Calls = BTreeMap<String, u64>;

/// The tables, the sales and the counted services.
pub struct Stage {
    shop: Shop,
    endpoint: String,
    shards: u32,
    counted: Arc<Mutex<Calls>>,
    _services: Server,
    engine: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

impl Stage {
    /// Makes the tables and the sales. Two sales have `shards` shards of 100 units each.
    ///
    /// # Errors
    /// When a port cannot be opened or the engine does not work.
    pub async fn open(shards: u32) -> Result<Self> {
        let database = Database::memory()?;
        // The shop's own client uses the engine's server, so that its calls are not counted.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let uncounted = format!("http://{}", listener.local_addr()?);
        let engine = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let shop = Shop::at(&uncounted).await;
        for table in [shop.dynamo.stock_table(), shop.dynamo.reservation_table()] {
            let update = json!({"TableName": table, "StreamSpecification": {"StreamEnabled": false}});
            database.update_table(serde_json::from_value(update)?)?;
        }
        make_sales(&shop, shards).await?;
        let counted = Arc::new(Mutex::new(Calls::new()));
        let services = Services { database, counted: Arc::clone(&counted) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = Server::start(listener, move |request| services.clone().answer(request));
        Ok(Self { shop, endpoint, shards, counted, _services: server, engine })
    }

    /// The variables of the functions: those that the template gives `reserve`, and the address of AWS.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let shards = self.shards.to_string();
        [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("ENVIRONMENT", "local"),
            // No sale of the bench asks for a proof of work.
            ("CHALLENGE_SECRET", "unused"),
            // A shopper of the bench repeats its request as fast as it can.
            ("SHOPPER_RATE", "1000"),
            ("PAYMENT_GATEWAYS", "sandbox,sandbox-standby"),
            ("STOCK_TABLE", self.shop.dynamo.stock_table()),
            ("RESERVATION_TABLE", self.shop.dynamo.reservation_table()),
            ("TRUST_USER_ID_HEADER", "false"),
            ("BENCH_SALE", BARE),
            ("BENCH_SHARDS", &shards),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// All calls to AWS since the stage was opened.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The units of a sale that shoppers hold.
    ///
    /// # Errors
    /// When there is no such sale.
    pub async fn held(&self, sale: &str) -> Result<u32> {
        let product = sale.parse().with_context(|| format!("{sale} is no product"))?;
        Ok(self.shop.units(&product).await.1)
    }
}

async fn make_sales(shop: &Shop, shards: u32) -> Result<()> {
    let hour = SignedDuration::from_hours(1);
    let described = SaleDraft {
        units: shards * UNITS_PER_SHARD,
        shards: Some(shards),
        starts_at: shop.now() - hour,
        ends_at: shop.now() + SALE_LASTS,
        hold_seconds: HOLD_SECONDS,
        max_hold_seconds: HOLD_SECONDS,
        max_per_shopper: Quantity::ONE,
        ..draft()
    };
    for sale in [RUSH, BARE] {
        shop.sale(&sale.parse().with_context(|| format!("{sale} is no product"))?, described.clone()).await;
    }
    let holder = Buyer::second().holding(shop.now(), shop.now() + hour);
    shop.sold_out(SaleDraft { shards: None, ..described }, &holder).await;
    Ok(())
}

/// The services behind one address. Their requests name the operation in a header.
#[derive(Clone)]
struct Services {
    database: Database,
    counted: Arc<Mutex<Calls>>,
}

impl Services {
    async fn answer(self, request: Request<Incoming>) -> Answer {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serving::body_of(request).await;
        let (status, answer) = self.carry_out(&operation, &body);
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amzn-requestid", "00000000000000000000000000")];
        serving::answer(status, &headers, answer)
    }

    fn carry_out(&self, operation: &str, body: &[u8]) -> (u16, String) {
        match operation {
            "GetItem" => carried_out(body, |request| self.database.get_item(request)),
            "PutItem" => carried_out(body, |request| self.database.put_item(request)),
            "UpdateItem" => carried_out(body, |request| self.database.update_item(request)),
            "DeleteItem" => carried_out(body, |request| self.database.delete_item(request)),
            "BatchGetItem" => carried_out(body, |request| self.database.batch_get_item(request)),
            other => failed(&format!("the bench has no {other}")),
        }
    }
}

fn carried_out<I: DeserializeOwned, O: Serialize>(body: &[u8], run: impl Fn(I) -> dynoxide::Result<O>) -> (u16, String) {
    let request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return failed(&error.to_string()),
    };
    match run(request) {
        Ok(output) => serde_json::to_string(&output).map_or_else(|error| failed(&error.to_string()), |body| (200, body)),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

fn failed(why: &str) -> (u16, String) {
    (400, json!({"__type": "com.amazon.coral.validate#ValidationException", "message": why}).to_string())
}
