//! The lists of orders: which orders a page has, by index or by key, and where the next page begins.

use std::collections::BTreeMap;

use contract::{ListedStatus, OrderQuery, WhichOrders, problems};
use domain::{OrderId, ProductId, Timestamp};
use kit::Problem;
use store::{Orders, PlacedOrder, StoreError, UnsettledOrder};

use crate::{
    ListOrders,
    page_start::{self, NoPage, PageStart, Refunds},
};

/// A page of a list. It may have orders that the query does not ask for.
pub(crate) struct List {
    /// At most [`Orders::READ_AT_ONCE`] orders, in their order.
    pub(crate) ids: Vec<OrderId>,
    /// When the gateway is next asked for the refunds of these orders, by id.
    pub(crate) next_tries: BTreeMap<String, Timestamp>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// A page of the orders whose refund is not confirmed.
struct RefundsPage {
    /// Refunds that the saga requested, and then those that operators requested.
    failed: Vec<UnsettledOrder>,
    requested: Vec<UnsettledOrder>,
    next: Option<PageStart>,
}

impl ListOrders {
    /// The page that `query` asks for.
    pub(crate) async fn list(&self, query: &OrderQuery) -> Result<List, Problem> {
        let next = query.next.as_deref();
        let malformed = |error: NoPage| Problem::malformed_request(format!("parameter next: {error}"), "");
        let failed = |error: StoreError| problems::store_failed(&error);
        match &query.which {
            WhichOrders::One(id) => {
                let nothing = BTreeMap::new();
                next.map_or(Ok(()), |_| Err(malformed(NoPage)))?;
                Ok(List { ids: vec![id.clone()], next_tries: nothing, next: None })
            }
            WhichOrders::OfSale(product) => {
                let after = next.map(|next| page_start::placed(next, product)).transpose().map_err(malformed)?;
                self.of_sale(product, query.since, after.as_ref()).await.map_err(failed)
            }
            WhichOrders::RefundPending(sale) => {
                let start = next.map_or(Ok(PageStart::FIRST), str::parse).map_err(malformed)?;
                Ok(of_refunds(self.refunds(start, query.since).await.map_err(failed)?, sale.as_ref()))
            }
        }
    }

    async fn of_sale(&self, product: &ProductId, since: Timestamp, after: Option<&PlacedOrder>) -> Result<List, StoreError> {
        let page = self.orders.of_sale(product, since, after).await?;
        let next = page.orders.last().filter(|_| page.more).map(page_start::after_placed);
        let ids = page.orders.into_iter().map(|order| order.id).collect();
        Ok(List { ids, next_tries: BTreeMap::new(), next })
    }

    /// The page that begins at `start`: at most [`Orders::READ_AT_ONCE`] orders, of one list or of both.
    async fn refunds(&self, start: PageStart, since: Timestamp) -> Result<RefundsPage, StoreError> {
        let (failed, after) = match start.list {
            Refunds::Failed => {
                let page = self.orders.refunds_pending(since, start.after.as_ref()).await?;
                if let Some(last) = page.orders.last().filter(|_| page.more).cloned() {
                    let next = Some(PageStart { list: Refunds::Failed, after: Some(last) });
                    return Ok(RefundsPage { failed: page.orders, requested: Vec::new(), next });
                }
                (page.orders, None)
            }
            Refunds::Requested => (Vec::new(), start.after),
        };
        let room = i32::try_from(Orders::READ_AT_ONCE.saturating_sub(failed.len())).unwrap_or(0);
        if room == 0 {
            let next = Some(PageStart { list: Refunds::Requested, after: None });
            return Ok(RefundsPage { failed, requested: Vec::new(), next });
        }
        let page = self.orders.refunds_due_within(after.as_ref(), room).await?;
        let last = page.orders.last().filter(|_| page.more).cloned();
        let next = last.map(|last| PageStart { list: Refunds::Requested, after: Some(last) });
        Ok(RefundsPage { failed, requested: page.orders, next })
    }
}

fn of_refunds(page: RefundsPage, sale: Option<&ProductId>) -> List {
    let is_asked_for = |order: &&UnsettledOrder| sale.is_none_or(|sale| order.id.product() == sale);
    let ids = page.failed.iter().chain(&page.requested).filter(is_asked_for).map(|order| order.id.clone()).collect();
    let next_tries = page.requested.iter().map(|order| (order.id.to_string(), order.since)).collect();
    List { ids, next_tries, next: page.next.map(|start| start.to_string()) }
}

/// The query of the page that begins at `next`, for a client that follows a link.
pub(crate) fn query_of_next(query: &OrderQuery, next: &str) -> String {
    let (sale, id) = match &query.which {
        WhichOrders::RefundPending(sale) => (sale.as_ref(), None),
        WhichOrders::OfSale(sale) => (Some(sale), None),
        WhichOrders::One(id) => (None, Some(id)),
    };
    let status = query.status.map(|status| match status {
        ListedStatus::Order(status) => serde_json::to_value(status).ok().and_then(|word| word.as_str().map(str::to_owned)),
        ListedStatus::RefundPending => Some("refund_pending".to_owned()),
    });
    let since = (query.since > Timestamp::MIN).then(|| query.since.to_string().replace(':', "%3A"));
    [
        ("status", status.flatten()),
        ("sale", sale.map(ToString::to_string)),
        ("order_id", id.map(ToString::to_string)),
        ("since", since),
        // Ids, times and names of lists have no character that a query could not have.
        ("next", Some(next.to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
    .collect::<Vec<_>>()
    .join("&")
}
