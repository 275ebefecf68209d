//! The draw of a sale as clients see it: all that is needed to verify it, once the sale has ended.

use domain::{Admission, Sale, SaleState, SaleStatus, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{schemas, sent_time};

/// How ranks follow from the seed, in words that a verifier can be written from.
const DRAW_ALGORITHM: &str = "rank = first 8 bytes, big-endian, of HMAC-SHA-256(seed, product_id || 0x00 || shopper); \
                         admitted when rank / 2^64 < (t - starts_at) / ramp_seconds; commitment = SHA-256(seed)";

/// The draw of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Draw)]
pub struct DrawView {
    /// How a shopper's rank follows from the seed, and the shopper's turn from the rank.
    algorithm: &'static str,
    /// The SHA-256 of the seed's bytes, published with the sale.
    #[schema(value_type = schemas::Hex32)]
    commitment: String,
    #[schema(value_type = schemas::RampSeconds)]
    ramp_seconds: u32,
    #[schema(value_type = schemas::Time)]
    starts_at: String,
    /// The seed, once the sale has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Hex32)]
    seed: Option<String>,
}

impl DrawView {
    /// The draw of `sale` at `now`. `None`: the sale has no draw.
    #[must_use]
    pub fn new(sale: &Sale, now: Timestamp) -> Option<Self> {
        let Admission::Draw { ramp_seconds } = sale.draft.admission else { return None };
        let seed = sale.draw_seed.as_ref()?;
        // A sale in preparation whose end has passed may get another description, and keeps its seed.
        let is_over = sale.status != SaleStatus::Preparing && sale.state(now, 0) == SaleState::Ended;
        Some(Self {
            algorithm: DRAW_ALGORITHM,
            commitment: seed.commitment(),
            ramp_seconds,
            starts_at: sent_time(sale.draft.starts_at),
            seed: is_over.then(|| seed.hex()),
        })
    }
}
