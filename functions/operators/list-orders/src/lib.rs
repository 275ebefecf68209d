//! `GET /admin/orders`: orders with a refund that is not confirmed. First those that the saga could not refund, then those with
//! refunds that operators requested. Group `ops` only.

mod page_start;

use std::{collections::BTreeMap, sync::Arc};

use contract::{OPERATORS, OrderQuery, OrderView, OrdersView, problems};
use domain::{Clock, Order, OrderId, PaymentStatus, Timestamp};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{Orders, StoreError, Unsettled};

use page_start::{List, PageStart};

/// The Lambda handler and its dependencies.
pub struct ListOrders {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: Orders,
}

/// A page as the index has it.
struct Page {
    /// Refunds that the saga requested, and then those that operators requested.
    failed: Vec<Unsettled>,
    requested: Vec<Unsettled>,
    next: Option<PageStart>,
}

impl FromParts for ListOrders {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), orders: parts.orders() }
    }
}

impl HttpFunction for ListOrders {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        let query = OrderQuery::of(request)?;
        let start = query.next.as_deref().map_or(Ok(PageStart::FIRST), str::parse);
        let start = start.map_err(|error| Problem::malformed_request(format!("parameter next: {error}"), ""))?;
        let page = self.page(start, query.since).await.map_err(|error| problems::store_failed(&error))?;
        let is_asked_for = |order: &&Unsettled| query.sale.as_ref().is_none_or(|sale| order.id.product() == sale);
        let listed = page.failed.iter().chain(&page.requested).filter(is_asked_for);
        let ids: Vec<OrderId> = listed.map(|order| order.id.clone()).collect();
        let found = self.orders.get_all(&ids).await.map_err(|error| problems::store_failed(&error))?;
        let (mut orders, unreadable) = kit::readable("order", found);
        orders.sort_by_key(|order| ids.iter().position(|id| *id == order.id));
        let next_tries: BTreeMap<_, _> = page.requested.iter().map(|order| (order.id.to_string(), order.since)).collect();
        let now = self.clock.now();
        let view = |order: &Order| {
            let view = OrderView::for_operators(order, now);
            match next_tries.get(&order.id.to_string()) {
                None => has_failed(order, query.since).then_some(view),
                Some(next_try) => has_pending(order, query.since).then(|| view.with_next_try(*next_try)),
            }
        };
        let orders = orders.iter().filter_map(view).collect();
        let next = page.next.map(|start| start.to_string());
        Ok(http::ok_json(200, &OrdersView { orders, next, unreadable: (unreadable > 0).then_some(unreadable) }))
    }
}

// The index follows its table within moments.

fn has_failed(order: &Order, since: Timestamp) -> bool {
    order.payment_status == PaymentStatus::RefundPending && order.updated_at >= since
}

/// Only the shopper may have still to be told: then the operator has nothing to wait for.
fn has_pending(order: &Order, since: Timestamp) -> bool {
    order.refunds.pending().filter_map(|place| order.refunds.all.get(place)).any(|refund| refund.at >= since)
}

impl ListOrders {
    /// The page that begins at `start`: at most [`Orders::READ_AT_ONCE`] orders, of one list or of both.
    async fn page(&self, start: PageStart, since: Timestamp) -> Result<Page, StoreError> {
        let (failed, after) = match start.list {
            List::Failed => {
                let page = self.orders.refunds_pending(since, start.after.as_ref()).await?;
                if let Some(last) = page.orders.last().filter(|_| page.more).cloned() {
                    let next = Some(PageStart { list: List::Failed, after: Some(last) });
                    return Ok(Page { failed: page.orders, requested: Vec::new(), next });
                }
                (page.orders, None)
            }
            List::Requested => (Vec::new(), start.after),
        };
        let room = i32::try_from(Orders::READ_AT_ONCE.saturating_sub(failed.len())).unwrap_or(0);
        if room == 0 {
            let next = Some(PageStart { list: List::Requested, after: None });
            return Ok(Page { failed, requested: Vec::new(), next });
        }
        let page = self.orders.refunds_due_within(after.as_ref(), room).await?;
        let last = page.orders.last().filter(|_| page.more).cloned();
        let next = last.map(|last| PageStart { list: List::Requested, after: Some(last) });
        Ok(Page { failed, requested: page.orders, next })
    }
}
