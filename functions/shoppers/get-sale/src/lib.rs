//! `GET /api/flash-sales/{product_id}`: one sale with its stock, at most a second old.

mod known;

use std::sync::Arc;

use contract::SaleView;
use domain::Clock;
use kit::{ConfigurationError, Environment, Problem, Request, Response, SystemClock, http};

pub use known::KnownSales;

/// The function, with what it stands on.
pub struct GetSale {
    clock: Arc<dyn Clock>,
    sales: KnownSales,
}

impl GetSale {
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
        let now = self.clock.now();
        let (sale, availability) = self.sales.in_path(request, now).await?;
        Ok(http::public_json(&SaleView::new(&sale, &availability, now)))
    }
}
