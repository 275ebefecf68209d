//! `GET /inventory/{product_id}`: units left, at most a second old. The claim is exact; this is not, and says as of when.

use std::sync::Arc;

use contract::time;
use domain::Clock;
use get_sale::KnownSales;
use kit::{ConfigurationError, Environment, Problem, Request, Response, SystemClock, http};
use serde::Serialize;

/// The function, with what it stands on.
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

impl GetInventory {
    /// The function on what it is given.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, sales: KnownSales) -> Self {
        Self { clock, sales }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let sales = KnownSales::from_environment(&mut env);
        env.finish()?;
        Ok(Self::new(Arc::new(SystemClock), sales(&kit::aws().await)))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer(&request).await;
        http::answer(&request, result)
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let (sale, availability) = self.sales.in_path(request, self.clock.now()).await?;
        Ok(http::public_json(&Inventory {
            product_id: sale.product.to_string(),
            available_quantity: availability.available(),
            as_of: time(availability.as_of),
        }))
    }
}
