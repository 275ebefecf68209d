//! `PUT /admin/flash-sales/{product_id}`: make a sale, or change it before it starts. Group `ops` only.

mod use_case;

use std::sync::Arc;

use contract::{OPERATORS, SaleRequest, SaleView, new_product_path, problems};
use domain::{Clock, NotChangeable};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};

pub use use_case::{Made, MakeError, SalePreparation};

/// The Lambda handler and its dependencies.
pub struct ManageSale {
    identity: Identity,
    clock: Arc<dyn Clock>,
    /// The use case; tests speed up its clock.
    pub preparation: SalePreparation,
}

impl FromParts for ManageSale {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), preparation: SalePreparation::from_parts(parts) }
    }
}

impl HttpFunction for ManageSale {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group(OPERATORS)?;
        let product = new_product_path(request)?;
        let body: SaleRequest = http::json_body(request)?;
        let draft = body.draft(self.clock.now())?;
        let made = self.preparation.make(&product, draft).await.map_err(|error| problem(&error))?;
        let status = if made.is_new { 201 } else { 200 };
        Ok(http::ok_json(status, &SaleView::new(&made.sale, &made.availability, self.clock.now())))
    }
}

fn problem(error: &MakeError) -> Problem {
    match error {
        MakeError::Started => problems::sale_started(),
        MakeError::Paused => problems::paused_not_changed(),
        MakeError::Restocked => problems::sale_restocked(),
        MakeError::Closed => problems::not_changeable(NotChangeable::Ended),
        MakeError::Unfinished { ready, all } => problems::unfinished(*ready, *all),
        MakeError::Changed => Problem::try_again(1),
        MakeError::Store(error) => problems::store_failed(error),
    }
}
