//! `GET /admin/flash-sales/{product_id}/report`: the exact figures of a sale. Group `ops` only.

mod use_case;
mod view;

use std::sync::Arc;

use contract::{Refusal, not_changeable, product_path, store_problem};
use domain::{Clock, NotChangeable, SaleStatus};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};
use store::Sales;

pub use use_case::{Reported, SaleReports};
use view::ReportView;

/// The Lambda handler and its dependencies.
pub struct GetSaleReport {
    identity: Identity,
    clock: Arc<dyn Clock>,
    sales: Sales,
    /// The use case; tests give it less time.
    pub reports: SaleReports,
}

impl FromParts for GetSaleReport {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), sales: parts.sales(), reports: SaleReports::from_parts(parts) }
    }
}

impl HttpFunction for GetSaleReport {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group("ops")?;
        let found = self.sales.get_for_write(&product_path(request)?).await.map_err(|error| store_problem(&error))?;
        let stored = found.ok_or_else(Refusal::unknown_product)?;
        // Its shards are being replaced.
        if stored.sale.status == SaleStatus::Preparing {
            return Err(not_changeable(NotChangeable::InPreparation));
        }
        let reported = self.reports.report(&stored.sale).await.map_err(|error| store_problem(&error))?;
        Ok(http::ok_json(200, &ReportView::new(&stored, &reported, self.clock.now())))
    }
}
