//! The use case: compare what the gate was told of a sale with what is true now, and tell it what is new.
//!
//! Several runs may feed the same sale. A run notes that it begins, reads the version of the gate's store, reads the sale, and
//! writes the store only in that version. So of two runs, the one that writes last has also read last.

use std::sync::Arc;

use contract::GateValue;
use domain::{Clock, Exhausted, ProductId, Sale};
use kit::Failure;
use parts::{EdgeStore, FromParts, Parts};
use store::{Availabilities, EdgeRecord, EdgeRecords, Sales, Stock, StoreError};

use crate::gate;

/// How often a run begins again because another one was faster.
const TRIES_TO_TELL: usize = 6;

/// Tells the gate of sales.
pub struct EdgeFeed {
    clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
    records: EdgeRecords,
    /// `None`: there is no edge stack.
    store: Option<EdgeStore>,
}

impl FromParts for EdgeFeed {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            sales: parts.sales(),
            stock: parts.stock(),
            availabilities: parts.availabilities(),
            records: parts.edge_records(),
            store: parts.edge_store(),
        }
    }
}

impl EdgeFeed {
    /// Tells the gate of the sale of `product`, unless it knows. May be repeated.
    ///
    /// # Errors
    /// When DynamoDB or the gate's store does not answer, or other runs were faster each time.
    pub async fn feed(&self, product: &ProductId) -> Result<(), Failure> {
        let Some(store) = &self.store else { return Ok(()) };
        for _ in 0..TRIES_TO_TELL {
            let record = self.records.get(product).await?;
            let told = record.as_ref().filter(|record| record.store == store.arn).and_then(|record| record.told.as_deref());
            // A sale without a record was never told of.
            let told = if record.is_none() { Some("") } else { told };
            if let Some(told) = told
                && self.value(product, Some(told)).await? == told
            {
                return Ok(());
            }
            let before = record.map_or(0, |record| record.version);
            let Some(begun) = self.records.begin(product, before, &store.arn).await? else { continue };
            let version = gate::version(store).await?;
            // A run that begins after this read also reads the store's version later, so this run's write makes it begin again.
            if !self.is_still(product, begun).await? {
                continue;
            }
            let value = self.value(product, None).await?;
            let text = Some(value.as_str()).filter(|value| !value.is_empty());
            if gate::write(store, product, text, &version).await? && self.records.settle(product, begun, &value).await? {
                tracing::info!(sale = %product, value, "the gate at the edge was told");
                return Ok(());
            }
        }
        Err(Failure::new("other runs kept telling the gate of the same sale"))
    }

    async fn is_still(&self, product: &ProductId, begun: u64) -> Result<bool, StoreError> {
        Ok(self.records.get(product).await?.is_some_and(|EdgeRecord { version, .. }| version == begun))
    }

    /// The value that the gate should have, as text; empty if there is no sale. What the gate was told stays as long as it is
    /// right and not about to end.
    async fn value(&self, product: &ProductId, told: Option<&str>) -> Result<String, Failure> {
        let Some(stored) = self.sales.get_for_write(product).await? else { return Ok(String::new()) };
        let (sale, now) = (stored.sale, self.clock.now());
        let plain = GateValue::new(&sale, None);
        let seems_sold_out = sale.is_prepared()
            && sale.accepts(domain::Quantity::ONE, now).is_ok()
            && self.availabilities.get(product, true).await?.is_some_and(|item| item.available() == 0);
        if !seems_sold_out {
            return Ok(plain.text());
        }
        if let Some(told) = told.and_then(GateValue::read)
            && told.stock().is_some_and(|stock| stock.is_fresh(now))
            && told.clone().without_stock() == plain
        {
            return Ok(told.text());
        }
        let stock = self.exhausted(&sale).await?;
        Ok(GateValue::new(&sale, stock.as_ref()).text())
    }

    /// The stock by every shard, strongly consistent: the availability item may be a second old.
    async fn exhausted(&self, sale: &Sale) -> Result<Option<Exhausted>, StoreError> {
        let shards = self.stock.read_all(&sale.product, &sale.layout).await?;
        Ok(Exhausted::of(shards.iter().map(|(_, shard)| shard), self.clock.now()))
    }
}
