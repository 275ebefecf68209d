//! `GET /inventory/{product_id}`: available units, by an availability item read at most a second ago. Only a claim is exact.

use std::sync::Arc;

use contract::InventoryView;
use domain::Clock;
use get_sale::KnownSales;
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};

/// The Lambda handler and its dependencies.
pub struct GetInventory {
    clock: Arc<dyn Clock>,
    sales: KnownSales,
}

impl FromParts for GetInventory {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: KnownSales::from_parts(parts) }
    }
}

impl HttpFunction for GetInventory {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let (sale, availability) = self.sales.in_path(request, self.clock.now()).await?;
        Ok(http::public_json(&InventoryView::new(&sale, &availability)))
    }
}
