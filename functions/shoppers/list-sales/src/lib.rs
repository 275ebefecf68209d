//! `GET /api/flash-sales`: every sale with its stock, at most a second old.

use std::sync::{Arc, Mutex, PoisonError};

use contract::{SaleView, store_problem, time};
use domain::{Availability, Clock, Memory, Sale, Timestamp};
use kit::{ConfigurationError, Environment, Problem, Request, Response, SystemClock, http};
use serde::Serialize;
use store::{Availabilities, Sales, StoreError};

type Listed = Arc<[(Sale, Availability)]>;

/// The function, with what it stands on.
pub struct ListSales {
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
    known: Mutex<Memory<(), Listed>>,
}

#[derive(Serialize)]
struct Catalogue {
    server_time: String,
    sales: Vec<SaleView>,
}

impl ListSales {
    /// The function on what it is given.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, sales: Sales, availabilities: Availabilities) -> Self {
        Self { clock, sales, availabilities, known: Mutex::default() }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let table = env.text("STOCK_TABLE");
        env.finish()?;
        let client = kit::dynamodb(&kit::aws().await);
        Ok(Self::new(Arc::new(SystemClock), Sales::new(client.clone(), &table), Availabilities::new(client, &table)))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer().await;
        http::answer(&request, result)
    }

    async fn answer(&self) -> Result<Response, Problem> {
        let now = self.clock.now();
        let listed = self.listed(now).await.map_err(|error| store_problem(&error))?;
        let sales = listed.iter().map(|(sale, availability)| SaleView::new(sale, availability, now)).collect();
        Ok(http::public_json(&Catalogue { server_time: time(now), sales }))
    }

    async fn listed(&self, now: Timestamp) -> Result<Listed, StoreError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).recall(&(), now).cloned() {
            return Ok(known);
        }
        let sales = self.sales.catalogue().await?;
        let products: Vec<_> = sales.iter().map(|sale| sale.product.clone()).collect();
        let mut availabilities = self.availabilities.get_all(&products).await?;
        let listed: Listed = sales
            .into_iter()
            .map(|sale| {
                let availability = availabilities.remove(&sale.product);
                let availability = availability.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
                (sale, availability)
            })
            .collect();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn((), listed.clone(), now);
        Ok(listed)
    }
}
