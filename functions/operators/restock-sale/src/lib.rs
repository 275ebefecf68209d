//! `POST /admin/flash-sales/{product_id}/restock`: add units to a sale. Group `ops` only.

mod use_case;

use std::sync::Arc;

use contract::{Refusal, SaleView, not_changeable, product_path, store_problem};
use domain::{Clock, RestockKey, SaleDraft};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};
use serde::Deserialize;

pub use use_case::{RestockError, Restocked, Restocks};

/// The Lambda handler and its dependencies.
pub struct RestockSale {
    identity: Identity,
    clock: Arc<dyn Clock>,
    restocks: Restocks,
}

// A misspelt member would be left out in silence, and a sale that has started cannot be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    units: u32,
}

impl FromParts for RestockSale {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), restocks: Restocks::from_parts(parts) }
    }
}

impl HttpFunction for RestockSale {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group("ops")?;
        let product = product_path(request)?;
        let body: Body = http::json_body(request)?;
        let key = key(request)?;
        if !(1..=SaleDraft::MOST_UNITS).contains(&body.units) {
            return Err(units_problem("units is a whole number from 1 to 1,000,000"));
        }
        let restocked = self.restocks.restock(&product, &key, body.units).await.map_err(|error| problem(&error))?;
        Ok(http::ok_json(200, &SaleView::new(&restocked.sale, &restocked.availability, self.clock.now())))
    }
}

/// The header without which nobody could tell a repetition from a second restock.
fn key(request: &Request) -> Result<RestockKey, Problem> {
    let header = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.trim().parse().map_err(|error| Problem::malformed_request(format!("header Idempotency-Key: {error}"), ""))
}

fn units_problem(detail: &str) -> Problem {
    Problem::invalid_request(detail, "/units")
}

fn problem(error: &RestockError) -> Problem {
    match error {
        RestockError::UnknownProduct => Refusal::unknown_product(),
        RestockError::NotChangeable(why) => not_changeable(*why),
        RestockError::OtherUnits => Problem::new(422, "idempotency-key-reused", "The key belongs to another request")
            .detail("This Idempotency-Key was sent with other units before. A new restock has a new key."),
        RestockError::TooManyUnits => units_problem("a sale has at most 1,000,000 units, with what it is restocked by"),
        RestockError::TooManyShards => {
            units_problem("a sale has at most 40,000 shards, and this one was made with fewer than 25 units to a shard")
        }
        RestockError::TooOften => Problem::new(409, "too-many-restocks", "The sale was restocked too often")
            .detail(format!("A sale can be restocked {} times.", RestockKey::MOST)),
        RestockError::Changed => Problem::try_again(1),
        RestockError::Store(error) => store_problem(error),
    }
}
