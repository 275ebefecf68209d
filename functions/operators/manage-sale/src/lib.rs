//! `PUT /admin/flash-sales/{product_id}`: make a sale, or change it before it starts. Group `ops` only.

mod use_case;

use std::sync::Arc;

use contract::{HOLD_SECONDS, SaleView, store_problem};
use domain::{Admission, Clock, Money, ProductId, Quantity, SaleDraft, Timestamp};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use parts::{FromParts, Parts};
use serde::Deserialize;

pub use use_case::{Made, MakeError, SalePreparation};

/// The Lambda handler and its dependencies.
pub struct ManageSale {
    identity: Identity,
    clock: Arc<dyn Clock>,
    preparation: SalePreparation,
}

// A misspelt member would be left out in silence, and a sale that has started cannot be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    description: Option<String>,
    image_url: Option<String>,
    price: Money,
    units: u32,
    starts_at: Timestamp,
    ends_at: Timestamp,
    hold_seconds: Option<u32>,
    max_per_shopper: Option<u32>,
    admission: Option<Admission>,
    shards: Option<u32>,
}

impl FromParts for ManageSale {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), preparation: SalePreparation::from_parts(parts) }
    }
}

impl HttpFunction for ManageSale {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.caller(request)?.require_group("ops")?;
        let product = product(request)?;
        let draft = draft(http::json_body(request)?, self.clock.now())?;
        let made = self.preparation.make(&product, draft).await.map_err(|error| problem(&error))?;
        let status = if made.is_new { 201 } else { 200 };
        Ok(http::ok_json(status, &SaleView::new(&made.sale, &made.availability, self.clock.now())))
    }
}

fn product(request: &Request) -> Result<ProductId, Problem> {
    let text = http::path_parameter(request, "product_id").unwrap_or_default();
    text.parse().map_err(|error| Problem::malformed_request(format!("product_id in the path: {error}"), ""))
}

fn draft(body: Body, now: Timestamp) -> Result<SaleDraft, Problem> {
    let max_per_shopper = Quantity::new(body.max_per_shopper.unwrap_or(1))
        .map_err(|_| Problem::invalid_request("max_per_shopper is a whole number from 1 to 10", "/max_per_shopper"))?;
    let draft = SaleDraft {
        name: body.name,
        description: body.description,
        image_url: body.image_url,
        price: body.price,
        units: body.units,
        starts_at: body.starts_at,
        ends_at: body.ends_at,
        hold_seconds: body.hold_seconds.unwrap_or(HOLD_SECONDS),
        max_per_shopper,
        admission: body.admission.unwrap_or_default(),
        shards: body.shards,
    };
    draft.check().map_err(|error| Problem::invalid_request(error.should_be, &format!("/{}", error.field)))?;
    if draft.ends_at <= now {
        return Err(Problem::invalid_request("ends_at is in the future", "/ends_at"));
    }
    Ok(draft)
}

fn problem(error: &MakeError) -> Problem {
    match error {
        MakeError::Started => Problem::new(409, "sale-started", "The sale has started")
            .detail("A sale can be changed until ten seconds before it starts, and not after."),
        MakeError::Paused => Problem::new(409, "sale-paused", "The sale is paused")
            .detail("A sale that is paused is not changed. Let it go on first."),
        MakeError::Restocked => Problem::new(409, "sale-restocked", "The sale was restocked")
            .detail("A sale that was restocked is not changed any more, except by another restock."),
        MakeError::Changed => Problem::try_again(1),
        MakeError::Store(error) => store_problem(error),
    }
}
