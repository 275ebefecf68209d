//! The use case: write the sale as being prepared, make its shards, then activate it.
//!
//! If the run dies in between, the sale stays in preparation and takes no reservation. The same request finishes it: every
//! write here can be repeated. A run whose time is over before all shards are made notes how many there are, and the same
//! request continues there.

use std::{ops::Range, sync::Arc};

use domain::{Availability, Clock, DrawSeed, NotChangeable, ProductId, Randomness, Sale, SaleDraft, SaleStatus};
use kit::{Deadline, Progress, Stopped};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, Stock, StoreError, StoredSale};

use crate::written;

/// Creates and changes sales.
pub struct SalePreparation {
    /// Public, so that tests can speed it up.
    pub clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
}

/// The sale after a successful request, which may have changed nothing.
#[derive(Debug, Clone)]
pub struct ManagedSale {
    /// As it is stored now.
    pub sale: Sale,
    /// Its stock.
    pub availability: Availability,
    /// This request created the sale.
    pub is_new: bool,
}

/// Why a sale was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The sale has started, or starts within ten seconds.
    #[error("the sale has started")]
    Started,
    /// The sale is paused.
    #[error("the sale is paused")]
    Paused,
    /// The sale was restocked.
    #[error("the sale was restocked")]
    Restocked,
    /// The sale is over: its end has passed, or it was closed.
    #[error("the sale is over")]
    Over,
    /// The described end has passed, and the sale does not have it.
    #[error("the described sale would be over")]
    EndsInThePast,
    /// The request did not finish: too little time, another change at the same time, or a failure of the store.
    #[error(transparent)]
    Stopped(#[from] Stopped<StoreError>),
}

impl From<StoreError> for MakeError {
    fn from(error: StoreError) -> Self {
        Self::Stopped(error.into())
    }
}

impl FromParts for SalePreparation {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            randomness: parts.randomness(),
            sales: parts.sales(),
            stock: parts.stock(),
            availabilities: parts.availabilities(),
        }
    }
}

impl SalePreparation {
    /// Creates the sale of `product`, or changes it, so that it is as `draft` describes it.
    ///
    /// # Errors
    /// Every [`MakeError`]. Once the sale is active, a request with its description changes nothing and succeeds, whatever its
    /// state.
    pub async fn make(&self, product: &ProductId, draft: SaleDraft) -> Result<ManagedSale, MakeError> {
        let deadline = Deadline::of_request(&*self.clock, self.clock.now());
        let before = self.sales.get_for_write(product).await?;
        // A seed is made with the sale. A new description keeps it, so that nobody can draw again.
        let seed = before.as_ref().and_then(|stored| stored.sale.draw_seed.clone());
        let draw_seed = Some(seed.unwrap_or_else(|| DrawSeed::new(self.randomness.seed())));
        let wanted = Sale { draw_seed, ..Sale::of(product.clone(), draft) };
        let is_same = |stored: &StoredSale| (&stored.sale.draft, &stored.sale.layout) == (&wanted.draft, &wanted.layout);
        if let Some(StoredSale { sale, .. }) = &before
            && sale.status != SaleStatus::Preparing
            && sale.is_described_by(&wanted.draft)
        {
            return self.unchanged(sale.clone()).await;
        }
        if before.as_ref().is_some_and(|stored| stored.sale.is_operable(self.clock.now()) == Err(NotChangeable::Ended)) {
            return Err(MakeError::Over);
        }
        if wanted.draft.ends_at <= self.clock.now() {
            return Err(MakeError::EndsInThePast);
        }
        let prepared = match &before {
            Some(stored) if stored.sale.is_operable(self.clock.now()).is_ok() && stored.sale.is_shortened_by(&wanted.draft) => {
                let shortened = written(self.sales.shorten(stored, wanted.draft.ends_at).await?)?;
                return self.unchanged(shortened.sale).await;
            }
            Some(stored) if stored.sale.status == SaleStatus::Preparing && is_same(stored) => stored.clone(),
            Some(_) | None => {
                before.as_ref().map_or(Ok(()), |stored| self.may_change(stored))?;
                written(self.sales.prepare(&wanted, before.as_ref()).await?)?
            }
        };
        self.sales.list(product).await?;
        self.make_shards(&prepared, &deadline).await?;
        let availability = self.write_availability(&prepared).await?;
        written(self.sales.activate(&prepared).await?)?;
        Ok(ManagedSale { sale: wanted, availability, is_new: before.is_none() })
    }

    /// Makes the shards of the sale, then deletes those that an earlier description has left over. It begins where the last
    /// run of the same description stopped, and notes where it stops itself.
    async fn make_shards(&self, prepared: &StoredSale, deadline: &Deadline<'_>) -> Result<(), MakeError> {
        let StoredSale { sale, shards_made: all, revision, .. } = prepared;
        let each = |some: Range<u32>| async move {
            let (product, shards) = (&sale.product, sale.layout.shards());
            Ok(self.stock.create(product, &sale.layout, some.clone(), *revision).await?
                && self.stock.delete(product, some.start.max(shards), some.end, *revision).await?)
        };
        let progress = Progress::through(prepared.shards_ready..*all, Stock::MADE_AT_ONCE, deadline, each).await;
        let progress = progress.leaving_time(deadline);
        if let Some(done) = progress.to_note() {
            written(self.sales.note_prepared(prepared, done).await?)?;
        }
        Ok(progress.finished()?)
    }

    /// The answer for a sale whose stock stays as it is.
    async fn unchanged(&self, sale: Sale) -> Result<ManagedSale, MakeError> {
        let now = self.clock.now();
        let availability = self.availabilities.get(&sale.product, true).await?;
        let availability = availability.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
        Ok(ManagedSale { sale, availability, is_new: false })
    }

    /// Whether the description may change. A sale in preparation may change at any time, because it has taken no reservation. A
    /// paused sale may not: a changed sale follows its times, so it would resume without an operator's request. A restocked sale
    /// may not: its shards do not follow from a description alone.
    fn may_change(&self, stored: &StoredSale) -> Result<(), MakeError> {
        let sale = &stored.sale;
        let is_restocked = stored.unfinished.is_some() || !stored.restocks.is_empty();
        let has_started = self.clock.now() >= sale.reservable_at();
        match sale.status {
            SaleStatus::Active | SaleStatus::Paused if has_started => Err(MakeError::Started),
            SaleStatus::Active | SaleStatus::Paused if is_restocked => Err(MakeError::Restocked),
            SaleStatus::Preparing | SaleStatus::Active => Ok(()),
            SaleStatus::Paused => Err(MakeError::Paused),
            SaleStatus::Closed => Err(MakeError::Over),
        }
    }

    /// Writes the availability item: every unit is available. `refresh-availability` may write the same at the same time.
    ///
    /// This run reads the item's version before the sale's revision. A request that takes the sale over later writes the item
    /// later still, so either it overwrites this write, or this write fails by the version.
    async fn write_availability(&self, prepared: &StoredSale) -> Result<Availability, MakeError> {
        let sale = &prepared.sale;
        let mut update = self.availabilities.update(&sale.product);
        while update.read().await? {
            let now_there = self.sales.get_for_write(&sale.product).await?;
            still_ours(now_there.is_some_and(|stored| stored.revision == prepared.revision))?;
            if let Some(written) = update.write(Availability::untouched(&sale.layout, self.clock.now())).await? {
                return Ok(written);
            }
        }
        Err(Stopped::Overtaken.into())
    }
}

/// Whether the sale is still at the revision that this run has prepared.
fn still_ours(is_ours: bool) -> Result<(), MakeError> {
    if is_ours { Ok(()) } else { Err(Stopped::Overtaken.into()) }
}
