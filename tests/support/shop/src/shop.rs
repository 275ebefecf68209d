//! A sale and its purchases in every state that the payment saga and the workers meet. The store's own moves make these
//! states, so the product can get into each of them.

mod attempts;
mod buyer;
mod given;
mod parts;
mod providers;
mod stages;
mod tasks;
#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use domain::{
    Admission, Availability, Clock, DrawSeed, Money, ProductId, ProofOfWork, Quantity, Sale, SaleDraft, ShardNumber, StockShard,
    Timestamp,
};
use payments::Http;
use store::{Client, WriteOutcome};
use test_aws::{Bus, CountingRandomness, Dynamo, EdgeStore, FixedClock, Queue, StepFunctions, Topic, Vault};

pub use buyer::{Buyer, address};
pub use given::Given;
pub use parts::{CHALLENGE_SECRET, NOTIFICATIONS, ORDER_EVENTS, STATE_MACHINE};
pub use providers::{answer_of_fake, calls_to, nobody, request_to_fake};
pub use stages::Stage;
pub use tasks::{queue, stream, stream_batch, stream_parts, task};

/// The start of the demo sale, and the time at which the reservations of the sample events are made.
pub const START: &str = "2026-11-01T12:00:00Z";
/// The time of most tests.
pub const NOW: &str = "2026-11-01T12:01:00Z";
/// The end of the holds in the sample events.
pub const END: &str = "2026-11-01T12:05:00Z";

/// Everything with which functions are deployed, for one test.
pub struct Shop {
    /// The three tables, on an engine in this process.
    pub dynamo: Dynamo,
    /// Shows [`NOW`] at first; TTL uses it, too.
    pub clock: FixedClock,
    /// Makes the ids by counting.
    pub randomness: CountingRandomness,
    /// SQS in this process, with every queue.
    pub queue: Queue,
    /// Step Functions in this process: keeps what was started and told.
    pub machines: StepFunctions,
    /// SNS in this process, with every topic.
    pub topic: Topic,
    /// EventBridge in this process, with every bus.
    pub bus: Bus,
    /// The accounts' keys, and those of challenges.
    pub vault: Vault,
    /// The store of the gate at the edge.
    pub edge: EdgeStore,
    /// Calls to payment providers. At first, nobody answers them.
    pub providers: Http,
    /// A client for the tables that does not count its requests.
    pub(crate) client: Client,
}

impl Shop {
    /// Empty tables and queues.
    pub async fn empty() -> Self {
        Self::empty_at(FixedClock::at(NOW)).await
    }

    /// As [`Shop::empty`], at another time.
    pub async fn empty_at(clock: FixedClock) -> Self {
        Self::on(Dynamo::start_at(&clock).await, clock)
    }

    /// Empty tables in this process, or on the server that the environment variable names ([`Dynamo::start`]), and
    /// empty queues. TTL uses the real time, regardless of `clock`.
    pub async fn anywhere(clock: FixedClock) -> Self {
        Self::on(Dynamo::start().await, clock)
    }

    /// Empty tables on the server at `endpoint`, which must be running, and empty queues. Functions on that server use
    /// the real time; the shop's clock stands still at the time of this call.
    pub async fn at(endpoint: &str) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp::from_second(i64::try_from(since.as_secs()).unwrap()).unwrap();
        Self::on(Dynamo::at(endpoint).await, FixedClock::at(&now.to_string()))
    }

    fn on(dynamo: Dynamo, clock: FixedClock) -> Self {
        let vault = Vault::default();
        vault.put(CHALLENGE_SECRET, r#"{"key": "a key of tests, which opens nothing: 0123456789"}"#);
        Self {
            client: dynamo.client(),
            dynamo,
            clock,
            randomness: CountingRandomness::new(),
            queue: Queue::default(),
            machines: StepFunctions::default(),
            topic: Topic::default(),
            bus: Bus::default(),
            vault,
            edge: EdgeStore::default(),
            providers: nobody(),
        }
    }

    /// A shop with the open sale `demo`: 100 units in four shards.
    pub async fn open() -> Self {
        let shop = Self::empty().await;
        shop.sale(&demo(), draft()).await;
        shop
    }

    /// Makes a sale, as `manage-sale` does.
    pub async fn sale(&self, product: &ProductId, draft: SaleDraft) {
        let sale = Sale { draw_seed: Some(DrawSeed::new([7; 32])), ..Sale::of(product.clone(), draft) };
        let WriteOutcome::Written(prepared) = self.uncounted().sales().prepare(&sale, None).await.unwrap() else {
            panic!("{product} is there already")
        };
        self.uncounted().sales().list(product).await.unwrap();
        self.uncounted().stock().create(product, &sale.layout, .., 1).await.unwrap();
        let untouched = Availability::untouched(&sale.layout, self.now());
        assert!(self.uncounted().availabilities().put(product, &untouched, 0).await.unwrap());
        assert!(matches!(self.uncounted().sales().activate(&prepared).await.unwrap(), WriteOutcome::Written(_)));
    }

    /// Makes the sale `sold-out` with one unit, which `holder` holds instead of its other units. The availability item
    /// shows it.
    pub async fn sold_out(&self, draft: SaleDraft, holder: &Buyer) {
        self.sale(&sold_out(), SaleDraft { units: 1, ..draft }).await;
        let holder = Buyer { shard: ShardNumber(0), quantity: Quantity::ONE, ..holder.clone().of(&sold_out()) };
        self.bring(&holder, Stage::Held).await;
        self.refresh_availability(&sold_out()).await;
    }

    /// Every shard of a sale. Asserts that each adds up.
    pub async fn shards(&self, product: &ProductId) -> Vec<StockShard> {
        let layout = self.uncounted().sales().get(product).await.unwrap().expect("there is such a sale").layout;
        let shards = self.uncounted().stock().read_all(product, &layout).await.unwrap();
        let shards: Vec<StockShard> = shards.into_iter().map(|(_, shard)| shard).collect();
        for shard in &shards {
            assert!(shard.is_balanced(), "{shard:?}");
        }
        shards
    }

    /// Available, held and sold units of a sale, summed over its shards.
    pub async fn units(&self, product: &ProductId) -> (u32, u32, u32) {
        let shards = self.shards(product).await;
        let sum = |of: fn(&StockShard) -> u32| shards.iter().map(of).sum();
        (sum(StockShard::available), sum(StockShard::held_units), sum(StockShard::sold_units))
    }

    /// The time on the test's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The product of the sample events.
pub fn demo() -> ProductId {
    "demo".parse().unwrap()
}

/// The product of the sample events whose only unit is held by another shopper.
pub fn sold_out() -> ProductId {
    "sold-out".parse().unwrap()
}

/// The description of the demo sale: 100 units at 999.00 USD, two per shopper, holds of five minutes, for a day.
pub fn draft() -> SaleDraft {
    SaleDraft {
        name: "Phone".into(),
        description: None,
        image_url: None,
        price: price(),
        units: 100,
        visible_from: None,
        starts_at: START.parse().unwrap(),
        ends_at: "2026-11-02T12:00:00Z".parse().unwrap(),
        hold_seconds: 300,
        max_hold_seconds: 600,
        max_per_shopper: Quantity::new(2).unwrap(),
        admission: Admission::Fcfs,
        proof_of_work: None,
        shards: None,
    }
}

/// The description of the demo sale, with a proof of work that costs a test little.
pub fn guarded() -> SaleDraft {
    SaleDraft { proof_of_work: Some(ProofOfWork { cost: 2, window_seconds: 10 }), ..draft() }
}

/// The price of one unit of the demo sale.
pub fn price() -> Money {
    Money::new(99_900, "USD".parse().unwrap()).unwrap()
}
