//! An execution environment's memory of sales and their availability: it reads each pair at most once a second.

use std::sync::{Mutex, PoisonError};

use contract::{problems, product_path};
use domain::{Availability, Memory, ProductId, Sale, Timestamp};
use kit::{Problem, Request};
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, StoreError};

type Known = Option<(Sale, Availability)>;

/// Sales by product.
pub struct KnownSales {
    sales: Sales,
    availabilities: Availabilities,
    known: Mutex<Memory<ProductId, Known>>,
}

impl FromParts for KnownSales {
    /// With an empty memory.
    fn from_parts(parts: &mut Parts) -> Self {
        Self { sales: parts.sales(), availabilities: parts.availabilities(), known: Mutex::default() }
    }
}

impl KnownSales {
    /// The sale named in the path. A hidden one is unknown.
    ///
    /// # Errors
    /// 404 when there is no such sale, 503 or 500 when the store fails.
    pub async fn in_path(&self, request: &Request, now: Timestamp) -> Result<(Sale, Availability), Problem> {
        let product = product_path(request)?;
        let known = self.get(&product, now).await.map_err(|error| problems::store_failed(&error))?;
        known.filter(|(sale, _)| sale.is_visible(now)).ok_or_else(problems::unknown_product)
    }

    async fn get(&self, product: &ProductId, now: Timestamp) -> Result<Known, StoreError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).recall(product, now).cloned() {
            return Ok(known);
        }
        let (sale, availability) = tokio::try_join!(self.sales.get(product), self.availabilities.get(product, false))?;
        let known = sale.map(|sale| {
            let availability = availability.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
            (sale, availability)
        });
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(product.clone(), known.clone(), now);
        Ok(known)
    }
}
