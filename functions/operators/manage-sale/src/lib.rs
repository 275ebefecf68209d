//! `PUT /admin/flash-sales/{product_id}`: make a sale, or change it before it starts. `DELETE` of the same path: delete a sale in
//! which nothing is held or sold. Group `ops` only.

mod deletion;
mod use_case;

use std::sync::Arc;

use contract::{OPERATORS, SaleRequest, SaleView, new_product_path, problems, product_path};
use domain::{Clock, NotChangeable};
use kit::{HttpFunction, Identity, Problem, Request, Response, Stopped, http};
use parts::{FromParts, Parts};
use store::{StoreError, StoredSale, WriteOutcome};

pub use deletion::{DeleteError, SaleDeletion};
pub use use_case::{MakeError, ManagedSale, SalePreparation};

/// The Lambda handler and its dependencies.
pub struct ManageSale {
    identity: Identity,
    clock: Arc<dyn Clock>,
    /// The use case; tests speed up its clock.
    pub preparation: SalePreparation,
    deletion: SaleDeletion,
}

impl FromParts for ManageSale {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            preparation: SalePreparation::from_parts(parts),
            deletion: SaleDeletion::from_parts(parts),
        }
    }
}

impl HttpFunction for ManageSale {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        if request.method().as_str() == "DELETE" {
            let product = product_path(request)?;
            self.deletion.delete(&product).await.map_err(|error| not_deleted(&error))?;
            return Ok(http::no_content());
        }
        let product = new_product_path(request)?;
        let body: SaleRequest = http::json_body(request)?;
        let draft = body.draft()?;
        let made = self.preparation.make(&product, draft).await.map_err(|error| problem(&error))?;
        let status = if made.is_new { 201 } else { 200 };
        Ok(http::ok_json(status, &SaleView::new(&made.sale, &made.availability, self.clock.now())))
    }
}

/// The sale as this request has written it, if no other request has changed it.
fn written(outcome: WriteOutcome) -> Result<StoredSale, Stopped<StoreError>> {
    match outcome {
        WriteOutcome::Written(stored) => Ok(stored),
        WriteOutcome::Changed => Err(Stopped::Overtaken),
    }
}

fn not_deleted(error: &DeleteError) -> Problem {
    match error {
        DeleteError::InUse => problems::sale_in_use(),
        DeleteError::TooSoon { after_seconds } => problems::still_reservable(*after_seconds),
        DeleteError::Stopped(why) => problems::stopped(why),
    }
}

fn problem(error: &MakeError) -> Problem {
    match error {
        MakeError::Started => problems::sale_started(),
        MakeError::Paused => problems::paused_not_changed(),
        MakeError::Restocked => problems::sale_restocked(),
        MakeError::Over => problems::not_changeable(NotChangeable::Ended),
        MakeError::EndsInThePast => Problem::invalid_request("ends_at must be in the future", "/ends_at"),
        MakeError::Stopped(why) => problems::stopped(why),
    }
}
