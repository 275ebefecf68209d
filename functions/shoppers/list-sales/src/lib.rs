//! `GET /api/flash-sales`: the sales with their stock, a hundred to a page, read at most a second ago. The pages of the live
//! catalogue come first, then those of the ended one.

mod page_start;

use std::sync::{Arc, Mutex, PoisonError};

use contract::{SalesView, listed_state, problems};
use domain::{Availability, BELIEVED_FOR, Clock, Memory, Sale, Timestamp};
use kit::{HttpFunction, Problem, Request, Response, http};
use page_start::PageStart;
use parts::{FromParts, Parts};
use store::{Availabilities, Sales, StoreError};

/// Pages that an environment remembers. Clients name them, so there is a limit; the first page is asked for most.
const MOST_PAGES: usize = 8;
/// Pages of the store that are read for one page, as long as all of their sales are hidden.
const MOST_STORE_PAGES: usize = 3;
/// Sales on a page at most, also when many that were read as hidden have become visible since.
const MOST_SALES: usize = 100;

/// A page of the catalogue, with the pages before it on which all sales were hidden.
#[derive(Clone)]
struct ListedPage {
    sales: Arc<[(Sale, Availability)]>,
    next: Option<PageStart>,
}

/// The Lambda handler and its dependencies.
pub struct ListSales {
    clock: Arc<dyn Clock>,
    sales: Sales,
    availabilities: Availabilities,
    known: Mutex<Memory<PageStart, ListedPage>>,
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
        let mut visible = listed.sales.iter().filter(|(sale, _)| sale.is_visible(now));
        let shown: Vec<_> = visible.by_ref().take(MOST_SALES).collect();
        let last = shown.last().map(|(sale, _)| &sale.product);
        let next = if visible.next().is_some() { start.following(last.cloned()) } else { listed.next.clone() };
        let next = next.filter(|next| next.may_have(state)).map(|next| next.after_visible(last).to_string());
        Ok(http::public_json(&SalesView::new(shown, state, next, now)))
    }
}

impl ListSales {
    /// The page that begins at `start`. While all sales of a page are hidden, it reads on in the same catalogue, so that `next`
    /// names a visible sale. After [`MOST_STORE_PAGES`], `next` names a hidden one: without it, the sales behind would be lost.
    async fn listed(&self, start: &PageStart, now: Timestamp) -> Result<ListedPage, StoreError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).recall(start, now).cloned() {
            return Ok(known);
        }
        let (mut sales, mut next) = self.read(start, now).await?;
        for _ in 1..MOST_STORE_PAGES {
            let is_hidden = sales.iter().all(|(sale, _)| !sale.is_visible(now));
            let Some(at) = next.clone().filter(|next| is_hidden && next.after.is_some()) else { break };
            let (more, following) = self.read(&at, now).await?;
            sales.extend(more);
            next = following;
        }
        let listed = ListedPage { sales: sales.into(), next };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(start.clone(), listed.clone(), now);
        Ok(listed)
    }

    /// A page of the store without the sales that cannot be read, and the beginning of the next one.
    async fn read(&self, at: &PageStart, now: Timestamp) -> Result<(Vec<(Sale, Availability)>, Option<PageStart>), StoreError> {
        let page = self.sales.page(at.catalogue, at.after.as_ref()).await?;
        let next = at.following(page.next);
        let (sales, _) = kit::readable("sale", page.sales);
        let products: Vec<_> = sales.iter().map(|sale| sale.product.clone()).collect();
        let mut availabilities = self.availabilities.get_all(&products).await?;
        let with_stock = |sale: Sale| {
            let availability = availabilities.remove(&sale.product);
            let availability = availability.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
            (sale, availability)
        };
        Ok((sales.into_iter().map(with_stock).collect(), next))
    }
}
