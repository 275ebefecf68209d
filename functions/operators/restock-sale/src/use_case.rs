//! The use case: describe the restock, make its shards, add them to the layout, extend the availability item.
//!
//! A run may die after any step. The next request, whatever its key, finishes a restock that was described. A run whose time
//! is over before all shards are made notes how many there are, and the next request continues there. The sale keeps the keys
//! of its finished restocks as long as it exists.

use std::{ops::Range, sync::Arc};

use domain::{Availability, Clock, Extent, NotChangeable, ProductId, RestockKey, Sale, SaleDraft};
use kit::{Deadline, Progress, Stopped};
use parts::{FromParts, Parts};
use store::{Availabilities, Restock, Sales, Stock, StoreError, StoredSale, WriteOutcome};

/// The most steps of one request. Its own restock and an unfinished one need four; other requests may write the sale in between.
const STEPS: usize = 12;

/// Restocks sales.
pub struct Restocks {
    /// Public, so that tests can speed it up.
    pub clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
}

/// A sale with the added units, whether this request or an earlier one added them.
#[derive(Debug, Clone)]
pub struct RestockedSale {
    /// As it is stored now, with every shard of the restock.
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
    /// The sale is being prepared, or over.
    #[error("the sale cannot be changed")]
    NotChangeable(NotChangeable),
    /// An earlier restock has the key and another number of units.
    #[error("the key belongs to another restock")]
    OtherUnits,
    /// The sale would have more than [`SaleDraft::MOST_UNITS`].
    #[error("too many units")]
    TooManyUnits,
    /// The sale would have more than [`SaleDraft::MOST_SHARDS`], even if the new ones had as many units as possible.
    #[error("the sale would have too many shards")]
    TooManyShards,
    /// The sale had [`RestockKey::MOST`] restocks.
    #[error("too many restocks")]
    TooOften,
    /// The request did not finish: too little time, another change at the same time, or a failure of the store.
    #[error(transparent)]
    Stopped(#[from] Stopped<StoreError>),
}

impl From<StoreError> for RestockError {
    fn from(error: StoreError) -> Self {
        Self::Stopped(error.into())
    }
}

/// The next step of a restock.
enum Step {
    /// Describe the restock.
    Begin(Extent),
    /// Finish the described restock, whichever request described it.
    Finish(Restock),
    /// The restock is in the layout: extend the availability item.
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
    /// Every [`RestockError`]. After a failure of the store, the same request continues where this one stopped.
    pub async fn restock(&self, product: &ProductId, key: &RestockKey, units: u32) -> Result<RestockedSale, RestockError> {
        let deadline = Deadline::of_request(&*self.clock, self.clock.now());
        let mut stored = self.read(product).await?;
        for _ in 0..STEPS {
            let outcome = match self.next(&stored, key, units)? {
                Step::Begin(extent) => self.sales.begin_restock(&stored, key.clone(), extent).await?,
                Step::Finish(restock) => {
                    self.make_shards(&stored, &restock, &deadline).await?;
                    self.sales.finish_restock(&stored).await?
                }
                Step::Tell => {
                    let availability = self.tell(&stored.sale).await?;
                    return Ok(RestockedSale { sale: stored.sale, availability });
                }
            };
            stored = match outcome {
                WriteOutcome::Written(stored) => stored,
                WriteOutcome::Changed => self.read(product).await?,
            };
        }
        Err(Stopped::Overtaken.into())
    }

    /// Makes the shards of a described restock. It begins where the last run stopped, and notes where it stops itself.
    async fn make_shards(&self, stored: &StoredSale, restock: &Restock, deadline: &Deadline<'_>) -> Result<(), RestockError> {
        let Restock { extent, revision, shards_ready, .. } = *restock;
        let (product, from) = (&stored.sale.product, stored.sale.layout.shards());
        let each =
            |some: Range<u32>| async move { self.stock.restock(product, from, extent, some, revision).await.map(|()| true) };
        let progress = Progress::through(shards_ready..extent.shards, Stock::MADE_AT_ONCE, deadline, each).await;
        let progress = progress.leaving_time(deadline);
        if let Some(done) = progress.to_note() {
            match self.sales.note_restocked(stored, done).await? {
                WriteOutcome::Written(_) => {}
                WriteOutcome::Changed => return Err(Stopped::Overtaken.into()),
            }
        }
        Ok(progress.finished()?)
    }

    async fn read(&self, product: &ProductId) -> Result<StoredSale, RestockError> {
        self.sales.get_for_write(product).await?.ok_or(RestockError::UnknownProduct)
    }

    /// The next step of a restock by `key`.
    fn next(&self, stored: &StoredSale, key: &RestockKey, units: u32) -> Result<Step, RestockError> {
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
        Ok(Step::Begin(sale.restock(units).ok_or(RestockError::TooManyShards)?))
    }

    /// Adds the new shards to the availability item, which removes the sold-out mark. If this run dies before that,
    /// `refresh-availability` does it with the next move on any shard.
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
        Err(Stopped::Overtaken.into())
    }
}
