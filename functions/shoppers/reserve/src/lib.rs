//! `POST /reserve-inventory`, `POST /add-to-cart`: hold units of a sale for one shopper.

mod claiming;
mod units;

use std::sync::Arc;

use contract::ReservedView;
use domain::{Clock, ProductId, Quantity, ShopperId};
use kit::{
    ConfigurationError, Environment, OsRandomness, Problem, Request, Response, SystemClock,
    http::{self, Identity},
};
use messages::ExpiryQueue;
use serde::Deserialize;
use store::{Availabilities, Reservations, Sales, Stock};

pub use units::{ReserveUnits, Reserved};

/// The function, with what it stands on.
pub struct Reserve {
    identity: Identity,
    clock: Arc<dyn Clock>,
    units: ReserveUnits,
}

#[derive(Deserialize)]
struct Body {
    product_id: ProductId,
    quantity: Option<i64>,
    user_id: Option<ShopperId>,
}

/// The units that a request asks for: one unless it says otherwise, `None` for more than any sale allows.
///
/// # Errors
/// 400 when it is less than one.
pub fn wanted(quantity: Option<i64>) -> Result<Option<Quantity>, Problem> {
    match quantity.unwrap_or(1) {
        ..1 => Err(Problem::malformed_request("a quantity is a whole number from 1 to 10", "/quantity")),
        units => Ok(u32::try_from(units).ok().and_then(|units| Quantity::new(units).ok())),
    }
}

/// The use case as it is deployed, also for the functions that begin with a reservation.
pub fn units_from_environment(env: &mut Environment) -> impl FnOnce(&kit::aws_config::SdkConfig) -> ReserveUnits + use<> {
    let (stock, reservation, queue) = (env.text("STOCK_TABLE"), env.text("RESERVATION_TABLE"), env.text("EXPIRY_QUEUE_URL"));
    move |aws| {
        let client = kit::dynamodb(aws);
        ReserveUnits::new(
            Arc::new(SystemClock),
            Arc::new(OsRandomness),
            Sales::new(client.clone(), &stock),
            Availabilities::new(client.clone(), &stock),
            Stock::new(client.clone(), &stock),
            Reservations::new(client, &reservation),
            ExpiryQueue::new(kit::sqs(aws), queue),
        )
    }
}

impl Reserve {
    /// The function on what it is given.
    #[must_use]
    pub fn new(identity: Identity, clock: Arc<dyn Clock>, units: ReserveUnits) -> Self {
        Self { identity, clock, units }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let identity = Identity::from_environment(&mut env);
        let units = units_from_environment(&mut env);
        env.finish()?;
        Ok(Self::new(identity, Arc::new(SystemClock), units(&kit::aws().await)))
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
        let quantity = wanted(body.quantity)?;
        let reserved = self.units.reserve(&caller.shopper, &body.product_id, quantity).await;
        let reserved = reserved.map_err(|refusal| refusal.problem(self.clock.now()))?;
        let as_cart = request.uri().path().ends_with("/add-to-cart");
        let status = if reserved.is_new { 201 } else { 200 };
        Ok(http::ok_json(status, &ReservedView::new(&reserved.reservation, as_cart)))
    }
}
