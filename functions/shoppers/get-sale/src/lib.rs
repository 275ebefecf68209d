//! `GET /api/flash-sales/{product_id}`: one sale with its stock, read at most a second ago.

mod known;

use std::sync::Arc;

use contract::SaleView;
use domain::Clock;
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use known::KnownSales;

/// The Lambda handler and its dependencies.
pub struct GetSale {
    clock: Arc<dyn Clock>,
    sales: KnownSales,
}

impl FromParts for GetSale {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: KnownSales::from_parts(parts) }
    }
}

impl HttpFunction for GetSale {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let now = self.clock.now();
        let (sale, availability) = self.sales.in_path(request, now).await?;
        Ok(http::public_json(&SaleView::new(&sale, &availability, now)))
    }
}
