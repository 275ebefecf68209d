//! `GET /admin/orders`: orders that wait for an operator, because their refund is not confirmed. Group `ops` only.

use std::sync::Arc;

use contract::{OPERATORS, OrderQuery, OrderView, OrdersView, problems};
use domain::{Clock, OrderId, PaymentStatus};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{Orders, Unsettled};

/// The Lambda handler and its dependencies.
pub struct ListOrders {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: Orders,
}

impl FromParts for ListOrders {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), orders: parts.orders() }
    }
}

impl HttpFunction for ListOrders {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group(OPERATORS)?;
        let query = OrderQuery::of(request)?;
        let after = match &query.next {
            Some(next) => Some(self.start_of_page(next).await?),
            None => None,
        };
        let page = self.orders.refunds_pending(query.since, after.as_ref()).await;
        let page = page.map_err(|error| problems::store_failed(&error))?;
        let ids: Vec<OrderId> = page.orders.iter().map(|order| order.id.clone()).collect();
        let is_asked_for = |id: &&OrderId| query.sale.as_ref().is_none_or(|sale| id.product() == sale);
        let read: Vec<OrderId> = ids.iter().filter(is_asked_for).cloned().collect();
        let found = self.orders.get_all(&read).await.map_err(|error| problems::store_failed(&error))?;
        let (mut orders, unreadable) = kit::readable("order", found);
        // The index follows its table within moments.
        orders.retain(|order| order.payment_status == PaymentStatus::RefundPending && order.updated_at >= query.since);
        orders.sort_by_key(|order| ids.iter().position(|id| *id == order.id));
        let now = self.clock.now();
        let orders = orders.iter().map(|order| OrderView::for_operators(order, now)).collect();
        let next = ids.last().filter(|_| page.more).map(ToString::to_string);
        Ok(http::ok_json(200, &OrdersView { orders, next, unreadable: (unreadable > 0).then_some(unreadable) }))
    }
}

impl ListOrders {
    /// The place in the index after which the page starts. `next` names the last order of the previous page; its refund may have
    /// been confirmed since, and it may be one that cannot be read.
    async fn start_of_page(&self, next: &OrderId) -> Result<Unsettled, Problem> {
        let place = self.orders.place_in_refunds(next).await.map_err(|error| problems::store_failed(&error))?;
        place.ok_or_else(|| Problem::malformed_request("parameter next: it is `next` of the page before, unchanged", ""))
    }
}
