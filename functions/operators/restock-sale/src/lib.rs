//! `POST /admin/flash-sales/{product_id}/restock`: add units to a sale. Group `ops` only.

mod use_case;

use std::sync::Arc;

use contract::{OPERATORS, RestockRequest, SaleView, idempotency_key, problems, product_path};
use domain::Clock;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use use_case::{RestockError, RestockedSale, Restocks};

/// The Lambda handler and its dependencies.
pub struct RestockSale {
    identity: Identity,
    clock: Arc<dyn Clock>,
    /// The use case; tests speed up its clock.
    pub restocks: Restocks,
}

impl FromParts for RestockSale {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), restocks: Restocks::from_parts(parts) }
    }
}

impl HttpFunction for RestockSale {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        let product = product_path(request)?;
        let body: RestockRequest = http::json_body(request)?;
        let key = idempotency_key(request)?;
        let units = body.units()?;
        let restocked = self.restocks.restock(&product, &key, units).await.map_err(|error| problem(&error))?;
        Ok(http::ok_json(200, &SaleView::new(&restocked.sale, &restocked.availability, self.clock.now())))
    }
}

fn problem(error: &RestockError) -> Problem {
    match error {
        RestockError::UnknownProduct => problems::unknown_product(),
        RestockError::NotChangeable(why) => problems::not_changeable(*why),
        RestockError::OtherUnits => problems::idempotency_key_reused(),
        RestockError::TooManyUnits => problems::too_many_units(),
        RestockError::TooManyShards => problems::too_many_shards(),
        RestockError::TooOften => problems::too_many_restocks(),
        RestockError::Stopped(why) => problems::stopped(why),
    }
}
