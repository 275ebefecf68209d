//! `GET /api/flash-sales/{product_id}/draw`: the draw of a sale, with its seed once the sale has ended. Only this function shows
//! the seed.

use std::sync::Arc;

use contract::{DrawView, problems};
use domain::Clock;
use get_sale::KnownSales;
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};

/// The Lambda handler and its dependencies.
pub struct GetDraw {
    clock: Arc<dyn Clock>,
    sales: KnownSales,
}

impl FromParts for GetDraw {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: KnownSales::from_parts(parts) }
    }
}

impl HttpFunction for GetDraw {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let now = self.clock.now();
        let (sale, _) = self.sales.in_path(request, now).await?;
        let draw = DrawView::new(&sale, now).ok_or_else(problems::no_draw)?;
        Ok(http::public_json(&draw))
    }
}
