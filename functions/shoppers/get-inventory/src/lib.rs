//! `GET /inventory/{product_id}`: units left, at most a second old. The claim is exact; this is not, and says as of when.

use std::sync::Arc;

use contract::time;
use domain::Clock;
use get_sale::KnownSales;
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use serde::Serialize;

/// The Lambda handler and its dependencies.
pub struct GetInventory {
    clock: Arc<dyn Clock>,
    sales: KnownSales,
}

#[derive(Serialize)]
struct Inventory {
    product_id: String,
    available_quantity: u32,
    as_of: String,
}

impl FromParts for GetInventory {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: KnownSales::from_parts(parts) }
    }
}

impl HttpFunction for GetInventory {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let (sale, availability) = self.sales.in_path(request, self.clock.now()).await?;
        Ok(http::public_json(&Inventory {
            product_id: sale.product.to_string(),
            available_quantity: availability.available(),
            as_of: time(availability.as_of),
        }))
    }
}
