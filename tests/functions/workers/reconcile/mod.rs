//! `reconcile` on a real DynamoDB engine: it repairs every kind of damage and touches nothing else.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod crashes;
mod healthy;
mod holds;
mod notices;
mod payments;
mod races;
mod refunds;
mod settled;
mod stock;
mod time;

use domain::Timestamp;
use kit::{QueueFunction, StreamFunction};
use messages::OrderMessage;
use reconcile::{Findings, Reconcile};
use release_stock::ReleaseStock;
use start_payment::StartPayment;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

/// Ten seconds after the shop's holds have ended: the component that should have ended them is late.
const LATE: &str = "2026-11-01T12:05:10Z";

/// A shop in which `reconcile` runs.
struct World {
    shop: Shop,
}

impl World {
    /// A world with the open sale `demo`.
    async fn open() -> Self {
        Self { shop: Shop::open().await }
    }

    /// A world with a purchase of the first buyer at `stage`. The availability item includes it.
    async fn at(stage: Stage) -> (Self, Buyer) {
        let (world, buyer) = (Self::open().await, Buyer::first());
        world.shop.bring(&buyer, stage).await;
        world.shop.refresh_availability(&test_shop::demo()).await;
        (world, buyer)
    }

    /// The function with these calls.
    fn reconcile(&self, calls: &Calls) -> Reconcile {
        self.shop.wire(calls)
    }

    /// Runs the function without a time limit.
    async fn run(&self) -> Findings {
        self.reconcile(&Calls::new()).run(Timestamp::MAX).await.unwrap()
    }

    /// Asserts that a run finds nothing.
    async fn finds_nothing(&self) {
        assert_eq!(self.run().await, Findings::default());
    }

    /// Starts the saga of the order's first attempt, as `start-payment` does.
    async fn start_saga(&self, buyer: &Buyer) -> String {
        let message = message(buyer);
        self.shop.wire::<StartPayment>(&Calls::new()).handle(message.clone()).await.unwrap();
        message.execution_name()
    }

    /// The names of all executions that were started.
    fn executions(&self) -> Vec<String> {
        self.shop.machines.started().into_iter().map(|started| started.name).collect()
    }

    /// Processes the streams: releases the units of removed holds, and refreshes the availability item.
    async fn streams(&self) {
        let function: ReleaseStock = self.shop.wire(&Calls::new());
        for record in self.shop.dynamo.reservation_records() {
            function.handle(record).await.unwrap();
        }
        self.shop.refresh_availability(&test_shop::demo()).await;
    }
}

fn message(buyer: &Buyer) -> OrderMessage {
    OrderMessage { order_id: buyer.id.clone(), shopper: buyer.shopper.clone(), attempt: 1 }
}
