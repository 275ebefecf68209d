//! A world with sales in it, and execution environments of `reserve` in that world.

use std::sync::atomic::{AtomicU32, Ordering};

use contract::Refusal;
use domain::{
    Admission, Availability, Hold, Money, ProductId, Quantity, Reservation, ReservationId, Sale, SaleDraft, SaleStatus,
    ShopperId, SignedDuration, StockShard, Timestamp,
};
use reserve::{Reserve, ReserveUnits, Reserved};
use store::WriteOutcome;
use test_aws::Calls;
use test_shop::Shop;

pub(crate) const START: &str = "2026-11-20T12:00:00Z";

pub(crate) struct World {
    pub(crate) shop: Shop,
    strangers: AtomicU32,
}

/// One execution environment: a memory of its own, and its calls counted.
pub(crate) struct Environment {
    pub(crate) units: ReserveUnits,
    pub(crate) calls: Calls,
}

impl World {
    /// An empty world, a minute after sales have started.
    pub(crate) async fn new() -> Self {
        let shop = Shop::empty().await;
        shop.clock.set("2026-11-20T12:01:00Z");
        Self { shop, strangers: AtomicU32::new(0) }
    }

    /// A world with one sale, `demo`.
    pub(crate) async fn with_units(units: u32) -> Self {
        let world = Self::new().await;
        world.sale("demo", draft(units)).await;
        world
    }

    pub(crate) async fn sale(&self, product: &str, draft: SaleDraft) {
        let product: ProductId = product.parse().unwrap();
        let sale = Sale { product: product.clone(), layout: draft.layout(), draft, status: SaleStatus::Active };
        let sales = self.shop.uncounted().sales();
        let WriteOutcome::Written(prepared) = sales.prepare(&sale, None).await.unwrap() else { panic!("{product} is there") };
        sales.list(&product).await.unwrap();
        self.shop.uncounted().stock().create(&product, &sale.layout, 1).await.unwrap();
        let untouched = Availability::untouched(&sale.layout, self.now());
        assert!(self.shop.uncounted().availabilities().put(&product, &untouched, 0).await.unwrap());
        assert!(matches!(sales.activate(&prepared).await.unwrap(), WriteOutcome::Written(_)));
    }

    pub(crate) fn environment(&self) -> Environment {
        self.environment_with(&Calls::new())
    }

    /// One that makes these calls.
    pub(crate) fn environment_with(&self, calls: &Calls) -> Environment {
        Environment { units: self.shop.wire(calls), calls: calls.clone() }
    }

    pub(crate) fn function(&self) -> Reserve {
        self.shop.wire(&Calls::new())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shop.now()
    }

    /// Every shard of `demo`. They must add up.
    pub(crate) async fn shards(&self) -> Vec<StockShard> {
        let product = demo();
        let layout = self.shop.uncounted().sales().get(&product).await.unwrap().unwrap().layout;
        let shards = self.shop.uncounted().stock().read_all(&product, &layout).await.unwrap();
        let shards: Vec<StockShard> = shards.into_iter().map(|(_, shard)| shard).collect();
        for shard in &shards {
            assert!(shard.is_balanced(), "{shard:?}");
        }
        shards
    }

    /// Units of `demo` that are available, and held.
    pub(crate) async fn units(&self) -> (u32, u32) {
        let shards = self.shards().await;
        (shards.iter().map(StockShard::available).sum(), shards.iter().map(StockShard::held_units).sum())
    }

    /// Does what the Stock stream's function does: derives the availability item from the shards.
    pub(crate) async fn refresh_availability(&self) {
        let product = demo();
        let layout = self.shop.uncounted().sales().get(&product).await.unwrap().unwrap().layout;
        let mut availability = self.shop.uncounted().availabilities().get(&product, true).await.unwrap().unwrap();
        let from = availability.version;
        for (number, shard) in self.shop.uncounted().stock().read_all(&product, &layout).await.unwrap() {
            availability.fold(number, &shard);
        }
        availability.stamp(self.now());
        assert!(self.shop.uncounted().availabilities().put(&product, &availability, from).await.unwrap());
    }

    /// A hold of one unit for somebody, as a claim of this moment would make it.
    pub(crate) fn hold(&self) -> Hold {
        let reservation = ReservationId::generate(&demo(), self.now(), &self.shop.randomness);
        Hold { reservation, quantity: Quantity::ONE, expires_at: self.now() + SignedDuration::from_secs(120) }
    }

    /// Somebody who has not been here before.
    pub(crate) fn stranger(&self) -> ShopperId {
        shopper(&format!("stranger-{}", self.strangers.fetch_add(1, Ordering::Relaxed)))
    }

    /// Has strangers take every unit of `demo`.
    pub(crate) async fn sell_out(&self) {
        let environment = self.environment();
        while self.units().await.0 > 0 {
            let _: Result<Reserved, Refusal> = environment.one(&self.stranger()).await;
            self.shop.clock.advance(domain::SignedDuration::from_millis(1_001));
            self.refresh_availability().await;
        }
    }
}

impl Environment {
    /// Reserves one unit of `demo`.
    pub(crate) async fn one(&self, shopper: &ShopperId) -> Result<Reserved, Refusal> {
        self.units.reserve(shopper, &demo(), Some(Quantity::ONE)).await
    }

    /// Reserves one unit of `demo`, which must work, and says whether it is a new reservation.
    pub(crate) async fn got(&self, shopper: &ShopperId) -> (Reservation, bool) {
        let reserved = self.one(shopper).await.unwrap();
        (reserved.reservation, reserved.is_new)
    }

    /// The code of the refusal to reserve one unit of `demo`.
    pub(crate) async fn refused(&self, shopper: &ShopperId) -> &'static str {
        code(&self.one(shopper).await.unwrap_err())
    }
}

pub(crate) fn code(refusal: &Refusal) -> &'static str {
    refusal.problem(START.parse().unwrap()).code()
}

pub(crate) fn demo() -> ProductId {
    "demo".parse().unwrap()
}

pub(crate) fn shopper(name: &str) -> ShopperId {
    name.parse().unwrap()
}

pub(crate) fn draft(units: u32) -> SaleDraft {
    SaleDraft {
        name: "Phone".into(),
        description: None,
        image_url: None,
        price: Money::new(99_900, "USD".parse().unwrap()).unwrap(),
        units,
        starts_at: START.parse().unwrap(),
        ends_at: "2026-11-21T12:00:00Z".parse().unwrap(),
        hold_seconds: 120,
        max_per_shopper: Quantity::new(2).unwrap(),
        admission: Admission::Fcfs,
        shards: None,
    }
}
