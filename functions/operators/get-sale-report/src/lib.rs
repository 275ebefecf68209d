//! `GET /admin/flash-sales/{product_id}/report`: the exact figures of a sale. Group `ops` only.

mod reporting;
mod view;

use std::sync::Arc;

use contract::{Refusal, not_changeable, product_path, store_problem};
use domain::{Clock, NotChangeable, SaleStatus};
use kit::{
    ConfigurationError, Environment, Problem, Request, Response, SystemClock,
    http::{self, Identity},
};
use store::{Orders, Sales, Stock};

pub use reporting::{Reported, Reporting};
use view::ReportView;

/// The function, with what it stands on.
pub struct GetSaleReport {
    identity: Identity,
    clock: Arc<dyn Clock>,
    sales: Sales,
    reporting: Reporting,
}

impl GetSaleReport {
    /// The function on what it is given.
    #[must_use]
    pub fn new(identity: Identity, clock: Arc<dyn Clock>, sales: Sales, reporting: Reporting) -> Self {
        Self { identity, clock, sales, reporting }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let identity = Identity::from_environment(&mut env);
        let (stock, order) = (env.text("STOCK_TABLE"), env.text("ORDER_TABLE"));
        env.finish()?;
        let client = kit::dynamodb(&kit::aws().await);
        let clock = Arc::new(SystemClock);
        let reporting = Reporting {
            clock: clock.clone(),
            stock: Stock::new(client.clone(), &stock),
            orders: Orders::new(client.clone(), order),
            orders_read_for: Reporting::ORDERS_READ_FOR,
        };
        Ok(Self::new(identity, clock, Sales::new(client, stock), reporting))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer(&request).await;
        http::answer(&request, result)
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group("ops")?;
        let found = self.sales.get_for_write(&product_path(request)?).await.map_err(|error| store_problem(&error))?;
        let stored = found.ok_or_else(Refusal::unknown_product)?;
        // Its shards are being replaced.
        if stored.sale.status == SaleStatus::Preparing {
            return Err(not_changeable(NotChangeable::InPreparation));
        }
        let reported = self.reporting.report(&stored.sale).await.map_err(|error| store_problem(&error))?;
        Ok(http::ok_json(200, &ReportView::new(&stored, &reported, self.clock.now())))
    }
}
