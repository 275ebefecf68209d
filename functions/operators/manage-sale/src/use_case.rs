//! The use case: describe the sale as being prepared, make its shards, then open it to its times.
//!
//! If the run dies in between, the sale stays in preparation, nobody can reserve in it, and the same request finishes it:
//! every write here can be repeated.

use std::sync::Arc;

use domain::{Availability, Clock, ProductId, Sale, SaleDraft, SaleStatus, SignedDuration, Timestamp};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, Stock, StoreError, Stored, WriteOutcome};

/// A sale that starts within this time is not changed any more. An environment of `reserve` believes a description for a
/// second, which may have been read a second late; its clock may differ by two each way from this one's, and the write that
/// stops it may take four: it must never claim by a description that is being replaced.
const CHANGES_END_BEFORE_START: SignedDuration = SignedDuration::from_secs(10);

/// Makes sales.
pub struct SalePreparation {
    clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
}

/// A sale that was made or changed, or was as described already.
#[derive(Debug, Clone)]
pub struct Made {
    /// The sale.
    pub sale: Sale,
    /// Its stock.
    pub availability: Availability,
    /// It was made by this request.
    pub is_new: bool,
}

/// Why a sale was not made as described.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// It has started, or is about to.
    #[error("the sale has started")]
    Started,
    /// It is paused.
    #[error("the sale is paused")]
    Paused,
    /// It was restocked.
    #[error("the sale was restocked")]
    Restocked,
    /// Somebody else is changing it at the same time.
    #[error("the sale was changed at the same time")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FromParts for SalePreparation {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: parts.sales(), stock: parts.stock(), availabilities: parts.availabilities() }
    }
}

impl SalePreparation {
    /// Makes the sale of `product` as `draft` describes it.
    ///
    /// # Errors
    /// When it has started, is paused or was restocked with another description, or the store does not answer.
    pub async fn make(&self, product: &ProductId, draft: SaleDraft) -> Result<Made, MakeError> {
        let before = self.sales.get_for_write(product).await?;
        let wanted = Sale { product: product.clone(), layout: draft.layout(), draft, status: SaleStatus::Active };
        if let Some(stored) = &before {
            if stored.sale.status != SaleStatus::Preparing && stored.sale.draft == wanted.draft {
                return self.unchanged(stored.sale.clone()).await;
            }
            self.may_change(stored)?;
        }
        let prepared = written(self.sales.prepare(&wanted, before.as_ref()).await?)?;
        self.sales.list(product).await?;
        still_ours(self.stock.create(product, &wanted.layout, prepared.revision).await?)?;
        still_ours(self.stock.delete(product, wanted.layout.shards(), prepared.shards_made, prepared.revision).await?)?;
        let availability = self.write_availability(&prepared).await?;
        written(self.sales.activate(&prepared).await?)?;
        Ok(Made { sale: wanted, availability, is_new: before.is_none() })
    }

    async fn unchanged(&self, sale: Sale) -> Result<Made, MakeError> {
        let now = self.clock.now();
        let availability = self.availabilities.get(&sale.product, true).await?;
        let availability = availability.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
        Ok(Made { sale, availability, is_new: false })
    }

    /// A sale that is being prepared may be changed at any time: nobody has been able to reserve in it. One that is paused may
    /// not, since a sale that was changed follows its times: it would go on without anybody having said so; nor one that was restocked, since its shards
    /// are not those of a description alone.
    fn may_change(&self, stored: &Stored) -> Result<(), MakeError> {
        let sale = &stored.sale;
        let is_restocked = stored.unfinished.is_some() || !stored.restocks.is_empty();
        let changes_end = sale.draft.starts_at.checked_sub(CHANGES_END_BEFORE_START).unwrap_or(Timestamp::MIN);
        let has_started = self.clock.now() >= changes_end;
        match sale.status {
            SaleStatus::Active | SaleStatus::Paused if has_started => Err(MakeError::Started),
            SaleStatus::Active | SaleStatus::Paused if is_restocked => Err(MakeError::Restocked),
            SaleStatus::Preparing | SaleStatus::Active => Ok(()),
            SaleStatus::Paused => Err(MakeError::Paused),
            SaleStatus::Closed => Err(MakeError::Started),
        }
    }

    /// Says that every unit is available. The stream of the new shards may be writing the same at the same time.
    ///
    /// The version is read before the revision: whoever has taken the sale over since writes the item after that, and either
    /// writes over this or is seen by its version.
    async fn write_availability(&self, prepared: &Stored) -> Result<Availability, MakeError> {
        let sale = &prepared.sale;
        let mut update = self.availabilities.update(&sale.product);
        while update.read().await? {
            let now_there = self.sales.get_for_write(&sale.product).await?;
            still_ours(now_there.is_some_and(|stored| stored.revision == prepared.revision))?;
            if let Some(written) = update.write(Availability::untouched(&sale.layout, self.clock.now())).await? {
                return Ok(written);
            }
        }
        Err(MakeError::Changed)
    }
}

/// Whether the sale is still at the revision that this run has prepared.
fn still_ours(is_ours: bool) -> Result<(), MakeError> {
    if is_ours { Ok(()) } else { Err(MakeError::Changed) }
}

fn written(outcome: WriteOutcome) -> Result<Stored, MakeError> {
    match outcome {
        WriteOutcome::Written(stored) => Ok(stored),
        WriteOutcome::Changed => Err(MakeError::Changed),
    }
}
