//! `GET /api/flash-sales`: the sales with their stock, a hundred to a page, read at most a second ago. The pages of the live
//! catalogue come first, then those of the ended one.

mod page_start;

use std::sync::{Arc, Mutex, PoisonError};

use contract::{SalesView, listed_state, problems};
use domain::{Availability, BELIEVED_FOR, Clock, Memory, ProductId, Sale, Timestamp};
use kit::{HttpFunction, Problem, Request, Response, http};
use page_start::PageStart;
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, StoreError};

/// Pages that an environment remembers. Clients name them, so there is a limit; the first page is asked for most.
const MOST_PAGES: usize = 8;

/// A page of the catalogue.
#[derive(Clone)]
struct Listed {
    sales: Arc<[(Sale, Availability)]>,
    next: Option<PageStart>,
}

/// The Lambda handler and its dependencies.
pub struct ListSales {
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
    known: Mutex<Memory<PageStart, Listed>>,
}

impl FromParts for ListSales {
    fn from_parts(parts: &mut Parts) -> Self {
        let known = Mutex::new(Memory::lasting(BELIEVED_FOR, MOST_PAGES));
        Self { clock: parts.clock(), sales: parts.sales(), availabilities: parts.availabilities(), known }
    }
}

impl HttpFunction for ListSales {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let now = self.clock.now();
        let state = listed_state(request)?;
        let start = match http::query_parameter(request, "next") {
            Some(next) => next.parse().map_err(|error: page_start::NoPage| Problem::malformed_request(error.to_string(), ""))?,
            None => PageStart::first(),
        };
        let listed = self.listed(&start, now).await.map_err(|error| problems::store_failed(&error))?;
        let visible = || listed.sales.iter().filter(|(sale, _)| sale.is_visible(now));
        let next = listed.next.clone().filter(|next| next.may_have(state));
        // `next` does not name a hidden sale, unless the whole page is hidden.
        let next = next.map(|next| next.after_visible(visible().map(|(sale, _)| &sale.product).next_back()).to_string());
        Ok(http::public_json(&SalesView::new(visible(), state, next, now)))
    }
}

impl ListSales {
    async fn listed(&self, start: &PageStart, now: Timestamp) -> Result<Listed, StoreError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).recall(start, now).cloned() {
            return Ok(known);
        }
        let page = self.sales.page(start.catalogue, start.after.as_ref()).await?;
        let next = start.following(page.next);
        let sales: Vec<Sale> = page.sales.into_iter().filter_map(|(product, sale)| readable(&product, sale)).collect();
        let products: Vec<_> = sales.iter().map(|sale| sale.product.clone()).collect();
        let mut availabilities = self.availabilities.get_all(&products).await?;
        let sales = sales
            .into_iter()
            .map(|sale| {
                let availability = availabilities.remove(&sale.product);
                let availability = availability.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
                (sale, availability)
            })
            .collect();
        let listed = Listed { sales, next };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(start.clone(), listed.clone(), now);
        Ok(listed)
    }
}

/// The sale. One that cannot be read is logged and left out of the list.
fn readable(product: &ProductId, sale: Result<Sale, StoreError>) -> Option<Sale> {
    sale.inspect_err(|error| tracing::error!(sale = %product, cause = kit::chain(error), "a sale cannot be read")).ok()
}
