//! Stock stream: folds the new state of each shard into the availability item, which readers and losers use.
//!
//! A fold takes whole states, not differences: a batch that arrives again, late or half processed gives the same item.

use std::{collections::BTreeMap, sync::Arc};

use domain::{Availability, Clock, ProductId, ShardNumber, StockShard};
use kit::{Failure, StreamBatchFunction, workers::EventRecord};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, shard_image};

/// The Lambda handler and its dependencies.
pub struct RefreshAvailability {
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
}

type Shards = BTreeMap<ShardNumber, StockShard>;

impl FromParts for RefreshAvailability {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: parts.sales(), availabilities: parts.availabilities() }
    }
}

impl StreamBatchFunction for RefreshAvailability {
    /// Folds a batch of records: for each shard, the last one.
    ///
    /// # Errors
    /// When the store does not answer, or other runs keep writing the item: the stream delivers the batch again.
    async fn handle(&self, records: Vec<EventRecord>) -> Result<(), Failure> {
        let mut changed: BTreeMap<ProductId, Shards> = BTreeMap::new();
        for record in records {
            match shard_image(&record.change.new_image) {
                Ok(Some((product, number, shard))) => _ = changed.entry(product).or_default().insert(number, shard),
                Ok(None) => {}
                Err(error) => kit::workers::left_out(&record, &error),
            }
        }
        for (product, shards) in changed {
            self.refresh(&product, &shards).await?;
        }
        Ok(())
    }
}

impl RefreshAvailability {
    async fn refresh(&self, product: &ProductId, shards: &Shards) -> Result<(), Failure> {
        let mut update = self.availabilities.update(product);
        while update.read().await? {
            let Some(derived) = self.derive(product, shards, update.known()).await? else { return Ok(()) };
            if update.write(derived).await?.is_some() {
                return Ok(());
            }
        }
        Err(Failure::new("the availability item kept changing"))
    }

    async fn derive(
        &self,
        product: &ProductId,
        shards: &Shards,
        known: Option<&Availability>,
    ) -> Result<Option<Availability>, Failure> {
        let Some(stored) = self.sales.get_for_write(product).await? else { return Ok(None) };
        // `manage-sale` writes the item as its last step before it activates the sale.
        if !stored.sale.is_prepared() {
            return Ok(None);
        }
        let layout = stored.sale.layout;
        let now = self.clock.now();
        let mut availability = known.cloned().unwrap_or_else(|| Availability::untouched(&layout, now));
        // `restock-sale` does this too, but its run may have ended before.
        availability.extend_to(&layout);
        // Shards above the layout are left over from an earlier description of the sale.
        for (number, shard) in shards.iter().filter(|(number, _)| number.0 < layout.shards()) {
            availability.fold(*number, shard);
        }
        availability.stamp(now);
        Ok(Some(availability))
    }
}
