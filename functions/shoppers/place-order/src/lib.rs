//! `POST /api/flash-sales/{product_id}/order`: reserve and order in one call.

use std::sync::Arc;

use checkout::Ordering;
use contract::{CheckoutDetails, Refusal, checked_address, payment_method};
use domain::{Address, Clock, ProductId};
use kit::{
    ConfigurationError, Environment, Problem, Request, Response, SystemClock,
    http::{self, Identity},
};
use reserve::ReserveUnits;
use serde::Deserialize;

/// The function, with what it stands on.
pub struct PlaceOrder {
    identity: Identity,
    clock: Arc<dyn Clock>,
    units: ReserveUnits,
    ordering: Ordering,
}

#[derive(Default, Deserialize)]
struct Body {
    quantity: Option<i64>,
    payment_method: Option<String>,
    shipping_address: Option<Address>,
}

impl PlaceOrder {
    /// The function on what it is given.
    #[must_use]
    pub fn new(identity: Identity, clock: Arc<dyn Clock>, units: ReserveUnits, ordering: Ordering) -> Self {
        Self { identity, clock, units, ordering }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let identity = Identity::from_environment(&mut env);
        let units = reserve::units_from_environment(&mut env);
        let ordering = checkout::ordering_from_environment(&mut env);
        env.finish()?;
        let aws = kit::aws().await;
        Ok(Self::new(identity, Arc::new(SystemClock), units(&aws), ordering(&aws)))
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let result = self.answer(&request).await;
        http::answer(&request, result)
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let body: Body = http::optional_json_body(request)?.unwrap_or_default();
        let product = http::path_parameter(request, "product_id").and_then(|text| text.parse::<ProductId>().ok());
        let product = product.ok_or_else(Refusal::unknown_product)?;
        let quantity = reserve::wanted(body.quantity)?;
        let address = body.shipping_address.map(checked_address).transpose()?;
        let method = body.payment_method.map(|method| payment_method(&method)).transpose()?;
        let reserved = self.units.reserve(&caller.shopper, &product, quantity).await;
        let reservation = reserved.map_err(|refusal| refusal.problem(self.clock.now()))?.reservation;
        let order = match method {
            Some(payment_method) => {
                let details = CheckoutDetails { payment_method, shipping_address: address };
                self.ordering.check_out(&caller.shopper, &reservation.id, &details).await?
            }
            None => self.ordering.place(&reservation, address).await?,
        };
        Ok(checkout::accepted(request, &order, self.clock.now()))
    }
}
