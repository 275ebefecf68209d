//! `POST /checkout`: make an order of what is reserved and have it paid.

mod ordering;

use std::sync::Arc;

use contract::{CheckoutDetails, OrderAccepted, unknown_reservation};
use domain::{Address, Clock, Order, OrderStatus, ReservationId, ShopperId};
use kit::{
    ConfigurationError, Environment, Problem, Request, Response, SystemClock,
    http::{self, Identity},
};
use messages::OrdersQueue;
use serde::Deserialize;
use store::{Orders, Purchases, Reservations, Sales};

pub use ordering::Ordering;

/// The function, with what it stands on.
pub struct Checkout {
    identity: Identity,
    clock: Arc<dyn Clock>,
    ordering: Ordering,
}

#[derive(Deserialize)]
struct Body {
    cart_id: String,
    payment_method: String,
    shipping_address: Address,
    user_id: Option<ShopperId>,
}

/// The use case as it is deployed, also for the functions that end with a checkout.
pub fn ordering_from_environment(env: &mut Environment) -> impl FnOnce(&kit::aws_config::SdkConfig) -> Ordering + use<> {
    let (stock, reservation, order) = (env.text("STOCK_TABLE"), env.text("RESERVATION_TABLE"), env.text("ORDER_TABLE"));
    let queue = env.text("ORDERS_QUEUE_URL");
    move |aws| {
        let client = kit::dynamodb(aws);
        Ordering {
            clock: Arc::new(SystemClock),
            sales: Sales::new(client.clone(), stock),
            reservations: Reservations::new(client.clone(), &reservation),
            orders: Orders::new(client.clone(), &order),
            purchases: Purchases::new(client, reservation, order),
            queue: OrdersQueue::new(kit::sqs(aws), queue),
        }
    }
}

/// The answer to whoever placed `order`: 202 while it is under way, 200 once it has ended.
#[must_use]
pub fn accepted(request: &Request, order: &Order, now: domain::Timestamp) -> Response {
    let (status, ..) = order.statuses(now);
    let code = match status {
        OrderStatus::AwaitingPayment | OrderStatus::Pending => 202,
        OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => 200,
    };
    http::with_location(http::ok_json(code, &OrderAccepted::new(order, now)), request, &format!("/orders/{}", order.id))
}

impl Checkout {
    /// The function on what it is given.
    #[must_use]
    pub fn new(identity: Identity, clock: Arc<dyn Clock>, ordering: Ordering) -> Self {
        Self { identity, clock, ordering }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let identity = Identity::from_environment(&mut env);
        let ordering = ordering_from_environment(&mut env);
        env.finish()?;
        Ok(Self::new(identity, Arc::new(SystemClock), ordering(&kit::aws().await)))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer(&request).await;
        http::answer(&request, result)
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let body: Body = http::json_body(request)?;
        caller.must_be(body.user_id.as_ref())?;
        let cart: ReservationId = body.cart_id.parse().map_err(|_| unknown_reservation())?;
        let details = CheckoutDetails::new(&body.payment_method, Some(body.shipping_address))?;
        let order = self.ordering.check_out(&caller.shopper, &cart, &details).await?;
        Ok(accepted(request, &order, self.clock.now()))
    }
}
