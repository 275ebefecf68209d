//! The use case: describe the restock, make its shards, take them into the layout, tell the readers.
//!
//! Each step may be the last one of its run. What is described and not finished is finished by the next request, whatever its
//! key; a restock that is finished is known by its key for as long as there is the sale.

use std::sync::Arc;

use domain::{Availability, Clock, Extent, NotChangeable, ProductId, RestockKey, Sale, SaleDraft};
use parts::{FromParts, Parts};
use store::{Availabilities, Restock, Sales, Stock, StoreError, Stored, WriteOutcome};

/// Steps that one request takes: its own restock and an unfinished one are four; others may write the sale in between.
const STEPS: usize = 12;

/// Restocks sales.
pub struct Restocks {
    clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
}

/// A sale with the units that were added, by this request or before.
#[derive(Debug, Clone)]
pub struct Restocked {
    /// The sale.
    pub sale: Sale,
    /// Its stock.
    pub availability: Availability,
}

/// Why a sale was not restocked.
#[derive(Debug, thiserror::Error)]
pub enum RestockError {
    /// There is no such sale.
    #[error("unknown product")]
    UnknownProduct,
    /// It is being prepared, or over.
    #[error("the sale cannot be changed")]
    NotChangeable(NotChangeable),
    /// The key was used with another number of units.
    #[error("the key belongs to another restock")]
    OtherUnits,
    /// The sale would have more units than a sale can have.
    #[error("too many units")]
    TooManyUnits,
    /// It would have more shards than a sale may have: it was made with few units to a shard.
    #[error("the sale would have too many shards")]
    TooManyShards,
    /// The sale has as many restocks as it remembers.
    #[error("too many restocks")]
    TooOften,
    /// Others kept changing the sale.
    #[error("the sale was changed at the same time")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What comes next.
enum Step {
    /// Describe the restock.
    Begin(Extent),
    /// Finish the one that is described, whoever has described it.
    Finish(Restock),
    /// Tell the readers: the restock is in the layout.
    Tell,
}

impl FromParts for Restocks {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: parts.sales(), stock: parts.stock(), availabilities: parts.availabilities() }
    }
}

impl Restocks {
    /// Adds `units` to the sale of `product`, once for each `key`.
    ///
    /// # Errors
    /// When the sale cannot have them, or the store does not answer: then the same request goes on where this one has stopped.
    pub async fn restock(&self, product: &ProductId, key: &RestockKey, units: u32) -> Result<Restocked, RestockError> {
        let mut stored = self.read(product).await?;
        for _ in 0..STEPS {
            let outcome = match self.next(&stored, key, units)? {
                Step::Begin(extent) => self.sales.begin_restock(&stored, key.clone(), extent).await?,
                Step::Finish(restock) => {
                    let from = stored.sale.layout.shards();
                    self.stock.restock(product, from, restock.extent, restock.revision).await?;
                    self.sales.finish_restock(&stored).await?
                }
                Step::Tell => {
                    let availability = self.tell(&stored.sale).await?;
                    return Ok(Restocked { sale: stored.sale, availability });
                }
            };
            stored = match outcome {
                WriteOutcome::Written(stored) => stored,
                WriteOutcome::Changed => self.read(product).await?,
            };
        }
        Err(RestockError::Changed)
    }

    async fn read(&self, product: &ProductId) -> Result<Stored, RestockError> {
        self.sales.get_for_write(product).await?.ok_or(RestockError::UnknownProduct)
    }

    /// What a restock by `key` needs next.
    fn next(&self, stored: &Stored, key: &RestockKey, units: u32) -> Result<Step, RestockError> {
        let sale = &stored.sale;
        let same = |restock: &&Restock| restock.key == *key;
        let finished = stored.restocks.iter().find(same);
        let unfinished = stored.unfinished.as_ref();
        if finished.or(unfinished.filter(same)).is_some_and(|restock| restock.extent.units != units) {
            return Err(RestockError::OtherUnits);
        }
        if finished.is_some() {
            return Ok(Step::Tell);
        }
        sale.is_operable(self.clock.now()).map_err(RestockError::NotChangeable)?;
        if let Some(unfinished) = unfinished {
            return Ok(Step::Finish(unfinished.clone()));
        }
        if sale.layout.units().saturating_add(units) > SaleDraft::MOST_UNITS {
            return Err(RestockError::TooManyUnits);
        }
        if stored.restocks.len() >= RestockKey::MOST {
            return Err(RestockError::TooOften);
        }
        let extent = sale.draft.restock(units);
        if sale.layout.shards().saturating_add(extent.shards) > SaleDraft::MOST_SHARDS {
            return Err(RestockError::TooManyShards);
        }
        Ok(Step::Begin(extent))
    }

    /// Takes the new shards into what readers know, which ends the sold-out mark. The stream does the same with the next move of
    /// any shard, if this run does not come to it.
    async fn tell(&self, sale: &Sale) -> Result<Availability, RestockError> {
        let mut update = self.availabilities.update(&sale.product);
        while update.read().await? {
            let now = self.clock.now();
            let mut availability = update.known().cloned().unwrap_or_else(|| Availability::untouched(&sale.layout, now));
            if !availability.extend_to(&sale.layout) && update.known().is_some() {
                return Ok(availability);
            }
            availability.stamp(now);
            if let Some(written) = update.write(availability).await? {
                return Ok(written);
            }
        }
        Err(RestockError::Changed)
    }
}
