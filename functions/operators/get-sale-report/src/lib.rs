//! `GET /admin/flash-sales/{product_id}/report`: the exact figures of a sale. Group `ops` only.

mod use_case;

use std::sync::Arc;

use contract::{OPERATORS, ReportView, problems, product_path};
use domain::Clock;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::Sales;

pub use use_case::{SaleFigures, SaleReports};

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
        self.identity.operator(request, OPERATORS)?;
        let found = self.sales.get_for_write(&product_path(request)?).await;
        let stored = found.map_err(|error| problems::store_failed(&error))?.ok_or_else(problems::unknown_product)?;
        let reported = self.reports.report(&stored.sale).await.map_err(|error| problems::store_failed(&error))?;
        let view = ReportView::new(&stored, &reported.figures, reported.has_all_orders, self.clock.now());
        Ok(http::ok_json(200, &view))
    }
}
