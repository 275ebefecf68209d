//! `GET /api/flash-sales`: the sales with their stock, read at most a second ago.

use std::sync::{Arc, Mutex, PoisonError};

use contract::{SalesView, problems};
use domain::{Availability, Clock, Memory, ProductId, Sale, Timestamp};
use kit::{HttpFunction, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, StoreError};

type Listed = Arc<[(Sale, Availability)]>;

/// The Lambda handler and its dependencies.
pub struct ListSales {
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
    known: Mutex<Memory<(), Listed>>,
}

impl FromParts for ListSales {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { clock: parts.clock(), sales: parts.sales(), availabilities: parts.availabilities(), known: Mutex::default() }
    }
}

impl HttpFunction for ListSales {
    async fn answer(&self, _: &Request) -> Result<Response, Problem> {
        let now = self.clock.now();
        let listed = self.listed(now).await.map_err(|error| problems::store_failed(&error))?;
        Ok(http::public_json(&SalesView::new(listed.iter(), now)))
    }
}

impl ListSales {
    async fn listed(&self, now: Timestamp) -> Result<Listed, StoreError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).recall(&(), now).cloned() {
            return Ok(known);
        }
        let page = self.sales.page(None).await?;
        let sales: Vec<Sale> = page.sales.into_iter().filter_map(|(product, sale)| readable(&product, sale)).collect();
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

/// The sale. One that cannot be read is logged and left out of the list.
fn readable(product: &ProductId, sale: Result<Sale, StoreError>) -> Option<Sale> {
    sale.inspect_err(|error| tracing::error!(sale = %product, cause = kit::chain(error), "a sale cannot be read")).ok()
}
