//! The answer to an operator who ends the holds of a sale.

use domain::ProductId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::schemas;

/// The holds of a sale that a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndedHolds)]
pub struct EndedHoldsView {
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    /// Holds that this request ended. Their units are available again a moment later.
    ended: u32,
    /// The same request again may find more.
    more: bool,
}

impl EndedHoldsView {
    /// `ended` holds of the sale of `product`.
    #[must_use]
    pub fn new(product: &ProductId, ended: u32, more: bool) -> Self {
        Self { product_id: product.to_string(), ended, more }
    }
}
