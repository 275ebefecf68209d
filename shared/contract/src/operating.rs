//! What operators send: a sale, and units to add to it.

use domain::{Admission, Currency, Money, ProductId, Quantity, RestockKey, SaleDraft, Timestamp};
use kit::{Problem, Request, http};
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use crate::{problems, schemas};

/// The group whose members operate sales.
pub const OPERATORS: &str = "ops";

/// How long a hold lasts unless the sale says otherwise, s.
pub const HOLD_SECONDS: u32 = 300;

// A misspelt member would be left out in silence, and a sale that has started cannot be changed.
/// Body of `PUT /admin/flash-sales/{product_id}`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleRequest {
    #[schema(value_type = schemas::SaleName)]
    name: String,
    #[schema(value_type = Option<schemas::SaleDescription>)]
    description: Option<String>,
    #[schema(value_type = Option<schemas::ImageUrl>)]
    image_url: Option<String>,
    #[serde(deserialize_with = "price")]
    #[schema(value_type = Price)]
    price: Money,
    #[schema(value_type = schemas::SaleUnits)]
    units: u32,
    /// In the past: the sale opens at once.
    #[schema(value_type = schemas::Time)]
    starts_at: Timestamp,
    /// Later than `starts_at`, and in the future.
    #[schema(value_type = schemas::Time)]
    ends_at: Timestamp,
    /// 300 unless it is given.
    #[schema(value_type = Option<schemas::HoldSeconds>)]
    hold_seconds: Option<u32>,
    /// 1 unless it is given.
    #[schema(value_type = Option<schemas::Quantity>)]
    max_per_shopper: Option<u32>,
    /// First come, first served unless it is given.
    #[schema(value_type = Option<schemas::AdmissionRequest>)]
    admission: Option<AdmissionRequest>,
    /// One for every 25 units unless it is given; at most 100 units to a shard.
    #[schema(value_type = Option<schemas::Shards>)]
    shards: Option<u32>,
}

/// The price of one unit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Price {
    #[schema(value_type = schemas::AmountMinor)]
    amount_minor: i64,
    #[schema(value_type = schemas::Currency)]
    currency: Currency,
}

fn price<'de, D: Deserializer<'de>>(json: D) -> Result<Money, D::Error> {
    let Price { amount_minor, currency } = Price::deserialize(json)?;
    Money::new(amount_minor, currency).map_err(de::Error::custom)
}

/// How shoppers are to be let in.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
enum AdmissionRequest {
    /// First come, first served.
    Fcfs,
}

impl SaleRequest {
    /// The sale that is described, with every limit checked.
    ///
    /// # Errors
    /// 422 `invalid-request` with a pointer to the first member that is out of its limits.
    pub fn draft(self, now: Timestamp) -> Result<SaleDraft, Problem> {
        let max_per_shopper = Quantity::new(self.max_per_shopper.unwrap_or(1))
            .map_err(|_| Problem::invalid_request("max_per_shopper is a whole number from 1 to 10", "/max_per_shopper"))?;
        let draft = SaleDraft {
            name: self.name,
            description: self.description,
            image_url: self.image_url,
            price: self.price,
            units: self.units,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            hold_seconds: self.hold_seconds.unwrap_or(HOLD_SECONDS),
            max_per_shopper,
            admission: match self.admission {
                None => Admission::default(),
                Some(AdmissionRequest::Fcfs) => Admission::Fcfs,
            },
            shards: self.shards,
        };
        draft.check().map_err(|error| Problem::invalid_request(error.should_be, &format!("/{}", error.field)))?;
        if draft.ends_at <= now {
            return Err(Problem::invalid_request("ends_at is in the future", "/ends_at"));
        }
        Ok(draft)
    }
}

// A misspelt member would be left out in silence.
/// Body of `POST /admin/flash-sales/{product_id}/restock`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockRequest {
    /// Units to add. With them the sale has at most 1,000,000.
    #[schema(value_type = schemas::SaleUnits)]
    units: u32,
}

impl RestockRequest {
    /// The units to add, within their limits.
    ///
    /// # Errors
    /// 422 `invalid-request`.
    pub fn units(self) -> Result<u32, Problem> {
        if (1..=SaleDraft::MOST_UNITS).contains(&self.units) {
            Ok(self.units)
        } else {
            Err(units_not_allowed("units is a whole number from 1 to 1,000,000"))
        }
    }
}

/// The units of a restock are not allowed.
#[must_use]
pub fn units_not_allowed(why: &str) -> Problem {
    Problem::invalid_request(why, "/units")
}

/// The header `Idempotency-Key`, without which a repetition could not be told from a second restock.
///
/// # Errors
/// 400 when it is missing or no key.
pub fn idempotency_key(request: &Request) -> Result<RestockKey, Problem> {
    let header = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.trim().parse().map_err(|error| Problem::malformed_request(format!("header Idempotency-Key: {error}"), ""))
}

/// The product in the path of an operator's request about a sale that is there.
///
/// # Errors
/// 404 for what can be no product.
pub fn product_path(request: &Request) -> Result<ProductId, Problem> {
    let product = http::path_parameter(request, "product_id").and_then(|text| text.parse().ok());
    product.ok_or_else(problems::unknown_product)
}

/// The product in the path of a sale that is to be made.
///
/// # Errors
/// 400 for what can be no product.
pub fn new_product_path(request: &Request) -> Result<ProductId, Problem> {
    let text = http::path_parameter(request, "product_id").unwrap_or_default();
    text.parse().map_err(|error| Problem::malformed_request(format!("product_id in the path: {error}"), ""))
}
