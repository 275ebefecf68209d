//! `POST /admin/flash-sales/{product_id}/pause`, `…/resume`, `…/close`: stop a sale, let it go on, end it. Group `ops` only.
//!
//! One conditional write of the sale and nothing else: what is held stays held, what is sold stays sold. An environment of
//! `reserve` believes the sale that it has read for a second.

use std::sync::Arc;

use contract::{Refusal, SaleView, not_changeable, product_path, store_problem};
use domain::{Availability, Clock, ProductId, StatusChange};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, StoreError, Stored, WriteOutcome};

/// Times that the sale is read again after somebody else wrote it.
const TRIES: usize = 4;

/// The Lambda handler and its dependencies.
pub struct ChangeSaleStatus {
    identity: Identity,
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
}

impl FromParts for ChangeSaleStatus {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), sales: parts.sales(), availabilities: parts.availabilities() }
    }
}

impl HttpFunction for ChangeSaleStatus {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group("ops")?;
        let change = change(request.uri().path())?;
        let stored = self.change(&product_path(request)?, change).await?;
        let availability = self.availability(&stored).await.map_err(|error| store_problem(&error))?;
        Ok(http::ok_json(200, &SaleView::new(&stored.sale, &availability, self.clock.now())))
    }
}

impl ChangeSaleStatus {
    /// The sale as it is after `change`.
    async fn change(&self, product: &ProductId, change: StatusChange) -> Result<Stored, Problem> {
        for _ in 0..TRIES {
            let found = self.sales.get_for_write(product).await.map_err(|error| store_problem(&error))?;
            let stored = found.ok_or_else(Refusal::unknown_product)?;
            let status = stored.sale.status_after(change, self.clock.now()).map_err(not_changeable)?;
            if stored.sale.status == status {
                return Ok(stored);
            }
            match self.sales.change_status(&stored, status).await.map_err(|error| store_problem(&error))? {
                WriteOutcome::Written(stored) => return Ok(stored),
                WriteOutcome::Changed => {}
            }
        }
        Err(Problem::try_again(1))
    }

    async fn availability(&self, stored: &Stored) -> Result<Availability, StoreError> {
        let found = self.availabilities.get(&stored.sale.product, true).await?;
        Ok(found.unwrap_or_else(|| Availability::untouched(&stored.sale.layout, self.clock.now())))
    }
}

/// The change that the last part of the path names.
fn change(path: &str) -> Result<StatusChange, Problem> {
    match path.rsplit('/').next() {
        Some("pause") => Ok(StatusChange::Pause),
        Some("resume") => Ok(StatusChange::Resume),
        Some("close") => Ok(StatusChange::Close),
        Some(_) | None => Err(Problem::not_found()),
    }
}
