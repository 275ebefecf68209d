//! `GET /admin/orders`: orders of a sale, one by its id, or those with a refund that is not confirmed; JSON, or CSV.
//! `GET /admin/orders/{order_id}`: one order with its attempts to pay. Group `ops` only.

mod lists;
mod page_start;

use std::sync::Arc;

use contract::{ListedStatus, OPERATORS, OrderQuery, OrderView, OrdersView, WhichOrders, csv, id_path, problems};
use domain::{Clock, Order, OrderId, PaymentStatus, Timestamp};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{Attempts, Orders, StoreError};

use lists::List;

/// The Lambda handler and its dependencies.
pub struct ListOrders {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: Orders,
    attempts: Attempts,
}

impl FromParts for ListOrders {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), orders: parts.orders(), attempts: parts.attempts() }
    }
}

impl HttpFunction for ListOrders {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        if http::path_parameter(request, "order_id").is_some() {
            return self.one(request).await;
        }
        let query = OrderQuery::of(request)?;
        let list = self.list(&query).await?;
        let found = self.orders.get_all(&list.ids).await.map_err(|error| problems::store_failed(&error))?;
        let page = if http::accepts_csv(request) { self.csv(&query, &list, found) } else { self.json(&query, &list, found) };
        Ok(page)
    }
}

/// Orders as the store reads them: one that cannot be read hides no other.
type Found = Vec<(OrderId, Result<Order, StoreError>)>;

impl ListOrders {
    async fn one(&self, request: &Request) -> Result<Response, Problem> {
        let id = id_path(request, "order_id").ok_or_else(problems::unknown_order)?;
        let order = self.orders.get(&id).await.map_err(|error| problems::store_failed(&error))?;
        let order = order.ok_or_else(problems::unknown_order)?;
        let attempts = self.attempts.of_order(&id, order.attempt).await.map_err(|error| problems::store_failed(&error))?;
        let view = OrderView::for_operators(&order, self.clock.now()).with_revision(order.revision);
        Ok(http::ok_json(200, &view.with_attempts(&attempts)))
    }

    fn json(&self, query: &OrderQuery, list: &List, found: Found) -> Response {
        let (orders, unreadable) = kit::readable("order", found);
        let now = self.clock.now();
        let view = |order: &Order| {
            let view = OrderView::for_operators(order, now).with_revision(order.revision);
            match list.next_tries.get(&order.id.to_string()) {
                Some(next_try) => view.with_next_try(*next_try),
                None => view,
            }
        };
        let orders = self.listed(query, list, orders).iter().map(view).collect();
        let unreadable = (unreadable > 0).then_some(unreadable);
        http::ok_json(200, &OrdersView { orders, next: list.next.clone(), unreadable })
    }

    /// One CSV row per order; an unreadable order has a row with its id.
    fn csv(&self, query: &OrderQuery, list: &List, found: Found) -> Response {
        let lost: Vec<_> = found.iter().filter(|(_, order)| order.is_err()).map(|(id, _)| csv::unreadable_row(id)).collect();
        let (orders, _) = kit::readable("order", found);
        let now = self.clock.now();
        let header = if query.next.is_none() { csv::header() } else { String::new() };
        let rows = self.listed(query, list, orders).iter().map(|order| csv::row(order, now)).collect::<String>();
        let next = list.next.as_ref().map(|next| lists::query_of_next(query, next));
        http::csv(header + &rows + &lost.concat(), next.as_deref())
    }

    /// The orders that the query asks for, in the order of the list. An index follows its table within moments.
    fn listed(&self, query: &OrderQuery, list: &List, mut orders: Vec<Order>) -> Vec<Order> {
        orders.sort_by_key(|order| list.ids.iter().position(|id| *id == order.id));
        let now = self.clock.now();
        orders.retain(|order| match &query.which {
            WhichOrders::RefundPending(_) => match list.next_tries.get(&order.id.to_string()) {
                None => has_failed(order, query.since),
                Some(_) => has_pending(order, query.since),
            },
            WhichOrders::OfSale(_) | WhichOrders::One(_) => {
                order.created_at.as_millisecond() >= query.since.as_millisecond() && has_status(order, query.status, now)
            }
        });
        orders
    }
}

fn has_status(order: &Order, status: Option<ListedStatus>, now: Timestamp) -> bool {
    match status {
        None => true,
        Some(ListedStatus::Order(status)) => order.statuses(now).0 == status,
        Some(ListedStatus::RefundPending) => has_failed(order, Timestamp::MIN) || has_pending(order, Timestamp::MIN),
    }
}

fn has_failed(order: &Order, since: Timestamp) -> bool {
    order.payment_status == PaymentStatus::RefundPending && order.updated_at >= since
}

/// Only the shopper may have still to be told: then the operator has nothing to wait for.
fn has_pending(order: &Order, since: Timestamp) -> bool {
    order.refunds.pending().filter_map(|place| order.refunds.all.get(place)).any(|refund| refund.at >= since)
}
