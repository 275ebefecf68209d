//! The use case: read every shard, and the order of every held or sold unit, a hundred items at a time.
//!
//! There is no index of a sale's orders; the shards name them. The report does not count an order whose units were released or
//! taken back.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{
    Clock, Order, OrderId, Place, ProductId, Quantity, Sale, SaleReport, ShardNumber, SignedDuration, StockShard, Timestamp,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use parts::{FromParts, Parts};
use store::{Orders, Stock, StoreError};

/// Batches that are read at the same time. A batch is a hundred shards and their orders.
const BATCHES_AT_ONCE: usize = 16;

/// Computes reports of sales.
pub struct SaleReports {
    clock: Arc<dyn Clock>,
    stock: Stock,
    orders: Orders,
    /// The time for reading orders. After it, only the remaining shards are read.
    pub orders_read_for: SignedDuration,
}

/// The figures of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleFigures {
    /// Units, holds, orders and payments, as they were read.
    pub figures: SaleReport,
    /// The function read the order of every held and sold unit, or found that there is none. False for a sale that is too large to
    /// read in time, and when an order cannot be read.
    pub has_all_orders: bool,
}

/// A shopper's entry in a shard.
struct Purchase {
    order: OrderId,
    place: Place,
    quantity: Quantity,
}

impl FromParts for SaleReports {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), stock: parts.stock(), orders: parts.orders(), orders_read_for: Self::ORDERS_READ_FOR }
    }
}

impl SaleReports {
    /// The function has 28 s and needs some of them for the shards of the largest sale.
    pub const ORDERS_READ_FOR: SignedDuration = SignedDuration::from_secs(18);

    /// Reads the figures of `sale`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn report(&self, sale: &Sale) -> Result<SaleFigures, StoreError> {
        let orders_end = self.clock.now().checked_add(self.orders_read_for).unwrap_or(Timestamp::MAX);
        let numbers: Vec<ShardNumber> = sale.layout.numbers().collect();
        let nothing = SaleFigures { figures: SaleReport::default(), has_all_orders: true };
        let batches: Vec<Vec<ShardNumber>> = numbers.chunks(Stock::READ_AT_ONCE).map(<[ShardNumber]>::to_vec).collect();
        stream::iter(batches)
            .map(|numbers| self.report_on(&sale.product, numbers, orders_end))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_fold(nothing, |sum, one| {
                let has_all_orders = sum.has_all_orders && one.has_all_orders;
                std::future::ready(Ok(SaleFigures { figures: sum.figures.and(one.figures), has_all_orders }))
            })
            .await
    }

    /// The figures of a batch of shards.
    async fn report_on(
        &self,
        product: &ProductId,
        numbers: Vec<ShardNumber>,
        orders_end: Timestamp,
    ) -> Result<SaleFigures, StoreError> {
        let shards = self.stock.read(product, &numbers).await?;
        let mut figures = SaleReport::default();
        let now = self.clock.now();
        for (_, shard) in &shards {
            figures.count_shard(shard, now);
        }
        let purchases: Vec<Purchase> = shards.iter().flat_map(|(_, shard)| purchases(shard)).collect();
        drop(shards);
        let mut has_all_orders = true;
        for some in purchases.chunks(Orders::READ_AT_ONCE) {
            let now = self.clock.now();
            if now >= orders_end {
                return Ok(SaleFigures { figures, has_all_orders: false });
            }
            // DynamoDB refuses a batch with the same key twice.
            let ids: BTreeSet<OrderId> = some.iter().map(|purchase| purchase.order.clone()).collect();
            let ids: Vec<OrderId> = ids.into_iter().collect();
            let by_id: HashMap<OrderId, Result<Order, StoreError>> = self.orders.get_all(&ids).await?.into_iter().collect();
            for Purchase { order, place, quantity } in some {
                match by_id.get(order) {
                    Some(Ok(found)) => figures.count_purchase(*place, *quantity, Some(found), now),
                    None => figures.count_purchase(*place, *quantity, None, now),
                    Some(Err(error)) => {
                        tracing::error!(order = %order, cause = kit::chain(error), "an order cannot be read");
                        has_all_orders = false;
                    }
                }
            }
        }
        Ok(SaleFigures { figures, has_all_orders })
    }
}

/// The held and sold entries of a shard.
fn purchases(shard: &StockShard) -> impl Iterator<Item = Purchase> {
    let held = shard.held().values().map(|hold| (Place::Held, &hold.reservation, hold.quantity));
    let sold = shard.sold().values().map(|sold| (Place::Sold, &sold.reservation, sold.quantity));
    held.chain(sold).map(|(place, order, quantity)| Purchase { order: order.clone(), place, quantity })
}
