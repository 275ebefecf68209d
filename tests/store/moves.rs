//! Compares the four moves in DynamoDB with the four moves of the domain, move by move.

use std::cell::Cell;

use domain::{
    ClaimOutcome, Hold, ProductId, Quantity, ReleaseOutcome, SellOutcome, ShardLayout, ShopperId, StockShard, TakeBackOutcome,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use crate::shop::{END, SHARD, Shop, at, id_in, shopper, units};

/// One move of one shopper under one reservation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) shopper: u32,
    pub(crate) reservation: u32,
    pub(crate) what: Move,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Move {
    Claim(u32),
    Release,
    /// Sells as many units as the reservation is for.
    Sell(u32),
    TakeBack,
}

/// The outcome of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Claim(ClaimOutcome),
    Release(ReleaseOutcome),
    Sell(SellOutcome),
    TakeBack(TakeBackOutcome),
}

impl Step {
    fn shopper(self) -> ShopperId {
        shopper(self.shopper)
    }

    fn hold(self, product: &ProductId, quantity: u32) -> Hold {
        Hold { reservation: id_in(product, self.reservation), quantity: units(quantity), expires_at: at(END) }
    }

    /// Makes the move in DynamoDB.
    pub(crate) async fn in_store(self, shop: &Shop, product: &ProductId) -> Outcome {
        let (shopper, id) = (self.shopper(), id_in(product, self.reservation));
        match self.what {
            Move::Claim(quantity) => {
                Outcome::Claim(shop.stock.claim(SHARD, &shopper, &self.hold(product, quantity)).await.unwrap())
            }
            Move::Release => Outcome::Release(shop.stock.release(SHARD, &shopper, &id).await.unwrap()),
            Move::Sell(quantity) => Outcome::Sell(shop.stock.sell(SHARD, &shopper, &id, units(quantity)).await.unwrap()),
            Move::TakeBack => Outcome::TakeBack(shop.stock.take_back(SHARD, &shopper, &id).await.unwrap()),
        }
    }

    /// Makes the move in the domain.
    pub(crate) fn in_domain(self, shard: &mut StockShard, product: &ProductId) -> Outcome {
        let (shopper, id) = (self.shopper(), id_in(product, self.reservation));
        match self.what {
            Move::Claim(quantity) => Outcome::Claim(shard.claim(&shopper, self.hold(product, quantity))),
            Move::Release => Outcome::Release(shard.release(&shopper, &id)),
            Move::Sell(_) => Outcome::Sell(shard.sell(&shopper, &id)),
            Move::TakeBack => Outcome::TakeBack(shard.take_back(&shopper, &id)),
        }
    }
}

/// Few shoppers and few reservations, so that moves collide. A reservation's quantity never changes.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let quantity = |reservation: u32| 1 + (reservation * 7) % Quantity::MAX.units();
    let what = prop_oneof![3 => Just(0), 2 => Just(1), 2 => Just(2), 1 => Just(3)];
    let step = (0u32..3, 0u32..3, what).prop_map(move |(shopper, nth, what)| {
        let reservation = shopper * 10 + nth;
        let what = match what {
            0 => Move::Claim(quantity(reservation)),
            1 => Move::Release,
            2 => Move::Sell(quantity(reservation)),
            _ => Move::TakeBack,
        };
        Step { shopper, reservation, what }
    });
    prop::collection::vec(step, 1..30)
}

#[test]
fn every_move_does_in_dynamodb_what_it_does_in_the_domain() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let cases = Cell::new(0);
    // proptest prints the smallest failing case. It keeps no file of old failures.
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(0u32..20, steps()), |(capacity, steps)| {
        cases.set(cases.get() + 1);
        let product = format!("case-{}", cases.get()).parse().unwrap();
        runtime.block_on(agree(&shop, &product, capacity, &steps))
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn agree(shop: &Shop, product: &ProductId, capacity: u32, steps: &[Step]) -> Result<(), TestCaseError> {
    shop.stock.create(product, &ShardLayout::new(capacity, 1), .., 1).await.unwrap();
    let mut model = StockShard::new(capacity);
    for step in steps {
        let expected = step.in_domain(&mut model, product);
        prop_assert_eq!(step.in_store(shop, product).await, expected, "{:?}", step);
        prop_assert_eq!(&shop.shard_of(product).await, &model, "after {:?}", step);
    }
    Ok(())
}
