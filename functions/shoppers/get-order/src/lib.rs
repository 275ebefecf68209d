//! `GET /orders/{order_id}`: one order of the caller's. `GET /orders`: all of them, newest first, twenty to a page.

use std::sync::Arc;

use contract::{OrderView, OrdersView, id_path, problems};
use domain::{Accounts, Attempt, Clock, Order, OrderId, OrderStatus, ShopperId};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use store::{Attempts, Orders};

/// The Lambda handler and its dependencies.
pub struct GetOrder {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: Orders,
    attempts: Attempts,
    accounts: Accounts,
}

impl FromParts for GetOrder {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            accounts: parts.accounts(),
        }
    }
}

impl HttpFunction for GetOrder {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        if http::path_parameter(request, "order_id").is_none() {
            return self.page(request, &caller.shopper).await;
        }
        let id = id_path(request, "order_id").ok_or_else(problems::unknown_order)?;
        let order = self.own(&caller.shopper, &id).await?.ok_or_else(problems::unknown_order)?;
        let view = OrderView::new(&order, &self.accounts, self.clock.now());
        let attempt = if order.status == OrderStatus::Pending { self.attempt(&order).await? } else { None };
        Ok(http::ok_json(200, &if let Some(attempt) = attempt { view.under_way(&attempt) } else { view }))
    }
}

impl GetOrder {
    async fn page(&self, request: &Request, shopper: &ShopperId) -> Result<Response, Problem> {
        let after = match http::query_parameter(request, "next") {
            Some(next) => Some(self.start_of_page(shopper, next).await?),
            None => None,
        };
        let page = self.orders.of_shopper(shopper, after.as_ref()).await.map_err(|error| problems::store_failed(&error))?;
        let now = self.clock.now();
        let orders = page.orders.iter().map(|order| OrderView::new(order, &self.accounts, now)).collect();
        Ok(http::ok_json(200, &OrdersView { orders, next: page.next.map(|id| id.to_string()), unreadable: None }))
    }

    /// The order after which the page starts: `next` of the previous page.
    async fn start_of_page(&self, shopper: &ShopperId, next: &str) -> Result<Order, Problem> {
        let wrong = || Problem::malformed_request("next must be the `next` of the previous page, unchanged", "");
        let id: OrderId = next.parse().map_err(|_| wrong())?;
        self.own(shopper, &id).await?.ok_or_else(wrong)
    }

    /// The attempt with which an order is pending, once a gateway is being asked.
    async fn attempt(&self, order: &Order) -> Result<Option<Attempt>, Problem> {
        self.attempts.get(&order.key()).await.map_err(|error| problems::store_failed(&error))
    }

    /// The order, if the shopper owns it.
    async fn own(&self, shopper: &ShopperId, id: &OrderId) -> Result<Option<Order>, Problem> {
        let order = self.orders.get(id).await.map_err(|error| problems::store_failed(&error))?;
        Ok(order.filter(|order| order.shopper == *shopper))
    }
}
