//! A world with sales in it, and execution environments of `reserve` in that world.

use std::sync::atomic::{AtomicU32, Ordering};

use contract::Refusal;
use domain::{
    Hold, ProductId, Quantity, Reservation, ReservationId, SaleDraft, ShopperId, SignedDuration, StockShard, Timestamp,
};
use reserve::{Entrance, Reserved, UnitReservations};
use test_aws::Calls;
use test_shop::{START, Shop, demo};

pub(crate) struct World {
    pub(crate) shop: Shop,
    strangers: AtomicU32,
}

/// One execution environment, with its own memory and its calls counted.
pub(crate) struct Environment {
    pub(crate) units: UnitReservations,
    pub(crate) entrance: Entrance,
    pub(crate) calls: Calls,
}

impl World {
    /// An empty world, a minute after sales have started.
    pub(crate) async fn new() -> Self {
        Self { shop: Shop::empty().await, strangers: AtomicU32::new(0) }
    }

    /// A world with one sale, `demo`.
    pub(crate) async fn with_units(units: u32) -> Self {
        Self::with(draft(units)).await
    }

    /// A world with the sale `demo`, made from `draft`.
    pub(crate) async fn with(draft: SaleDraft) -> Self {
        let world = Self::new().await;
        world.shop.sale(&demo(), draft).await;
        world
    }

    pub(crate) fn environment(&self) -> Environment {
        self.environment_with(&Calls::new())
    }

    /// An environment that makes these calls.
    pub(crate) fn environment_with(&self, calls: &Calls) -> Environment {
        Environment { units: self.shop.wire(calls), entrance: self.shop.wire(calls), calls: calls.clone() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shop.now()
    }

    /// Every shard of `demo`.
    pub(crate) async fn shards(&self) -> Vec<StockShard> {
        self.shop.shards(&demo()).await
    }

    /// The available and the held units of `demo`.
    pub(crate) async fn units(&self) -> (u32, u32) {
        let (available, held, _) = self.shop.units(&demo()).await;
        (available, held)
    }

    /// Derives the availability item from the shards, as the Stock stream's function does.
    pub(crate) async fn refresh_availability(&self) {
        self.shop.refresh_availability(&demo()).await;
    }

    /// A hold of one unit, as a claim at this moment would make it.
    pub(crate) fn hold(&self) -> Hold {
        let reservation = ReservationId::generate(&demo(), self.now(), &self.shop.randomness);
        Hold { reservation, quantity: Quantity::ONE, expires_at: self.now() + SignedDuration::from_secs(120) }
    }

    /// A shopper who has made no request before.
    pub(crate) fn stranger(&self) -> ShopperId {
        shopper(&format!("stranger-{}", self.strangers.fetch_add(1, Ordering::Relaxed)))
    }

    /// Lets strangers take every unit of `demo`.
    pub(crate) async fn sell_out(&self) {
        let environment = self.environment();
        while self.units().await.0 > 0 {
            let _: Result<Reserved, Refusal> = environment.one(&self.stranger()).await;
            self.shop.clock.advance(SignedDuration::from_millis(1_001));
            self.refresh_availability().await;
        }
    }
}

impl Environment {
    /// Reserves one unit of `demo`.
    pub(crate) async fn one(&self, shopper: &ShopperId) -> Result<Reserved, Refusal> {
        self.reserve(shopper, &demo(), Some(Quantity::ONE)).await
    }

    /// Reserves so many units of `product`.
    pub(crate) async fn reserve(
        &self,
        shopper: &ShopperId,
        product: &ProductId,
        quantity: Option<Quantity>,
    ) -> Result<Reserved, Refusal> {
        self.units.reserve(shopper, product, quantity, Some(&self.entrance.showing(None))).await
    }

    /// Reserves one unit of `demo`, which must succeed. Also returns whether the reservation is new.
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

pub(crate) fn shopper(name: &str) -> ShopperId {
    name.parse().unwrap()
}

/// The demo sale with this many units, and with holds of two minutes.
pub(crate) fn draft(units: u32) -> SaleDraft {
    SaleDraft { units, hold_seconds: 120, ..test_shop::draft() }
}
