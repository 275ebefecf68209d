//! `POST /admin/flash-sales/{product_id}/pause`, `…/resume`, `…/close`. Group `ops` only.
//!
//! The function writes only the sale, with one conditional write: held units stay held, sold units stay sold. An environment
//! of `reserve` uses the sale that it has read for up to a second.

use std::sync::Arc;

use contract::{OPERATORS, SaleView, problems, product_path};
use domain::{Availability, Clock, NotChangeable, ProductId, StatusChange};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, StoreError, StoredSale, WriteOutcome};

/// Reads of the sale in one request; each but the first follows a write by another request.
const TRIES: usize = 4;

/// The Lambda handler and its dependencies.
pub struct ChangeSaleStatus {
    identity: Identity,
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
}

/// Why a sale's status was not changed.
#[derive(Debug, thiserror::Error)]
enum ChangeError {
    /// There is no sale of the product.
    #[error("unknown product")]
    UnknownProduct,
    /// The sale is being prepared, or over.
    #[error("the sale cannot be changed")]
    NotChangeable(NotChangeable),
    /// Other requests kept writing the sale.
    #[error("the sale was changed at the same time")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FromParts for ChangeSaleStatus {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), sales: parts.sales(), availabilities: parts.availabilities() }
    }
}

impl HttpFunction for ChangeSaleStatus {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        let change = change(http::route(request))?;
        let stored = self.change(&product_path(request)?, change).await.map_err(|error| problem(&error))?;
        let availability = self.availability(&stored).await.map_err(|error| problems::store_failed(&error))?;
        Ok(http::ok_json(200, &SaleView::new(&stored.sale, &availability, self.clock.now())))
    }
}

impl ChangeSaleStatus {
    /// Applies `change` to the sale and returns the sale as it is then.
    async fn change(&self, product: &ProductId, change: StatusChange) -> Result<StoredSale, ChangeError> {
        for _ in 0..TRIES {
            let stored = self.sales.get_for_write(product).await?.ok_or(ChangeError::UnknownProduct)?;
            let now = self.clock.now();
            let status = stored.sale.status_after(change, now).map_err(ChangeError::NotChangeable)?;
            if stored.sale.status == status {
                return Ok(stored);
            }
            match self.sales.change_status(&stored, status, now).await? {
                WriteOutcome::Written(stored) => return Ok(stored),
                WriteOutcome::Changed => {}
            }
        }
        Err(ChangeError::Changed)
    }

    async fn availability(&self, stored: &StoredSale) -> Result<Availability, StoreError> {
        let found = self.availabilities.get(&stored.sale.product, true).await?;
        Ok(found.unwrap_or_else(|| Availability::untouched(&stored.sale.layout, self.clock.now())))
    }
}

fn problem(error: &ChangeError) -> Problem {
    match error {
        ChangeError::UnknownProduct => problems::unknown_product(),
        ChangeError::NotChangeable(why) => problems::not_changeable(*why),
        ChangeError::Changed => Problem::try_again(1),
        ChangeError::Store(error) => problems::store_failed(error),
    }
}

/// The change that the last part of the route names.
fn change(route: &str) -> Result<StatusChange, Problem> {
    match route.rsplit('/').next() {
        Some("pause") => Ok(StatusChange::Pause),
        Some("resume") => Ok(StatusChange::Resume),
        Some("close") => Ok(StatusChange::Close),
        Some(_) | None => Err(Problem::not_found()),
    }
}
