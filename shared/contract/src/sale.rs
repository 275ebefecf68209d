//! A sale as clients see it.

use domain::{Admission, Availability, Money, Sale, SaleState, Timestamp};
use serde::Serialize;

use crate::time;

/// What is held and may come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldsView {
    /// Units held.
    pub count: u32,
    /// No hold that is known ends before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_ends_at: Option<String>,
}

impl HoldsView {
    /// The holds of a sale.
    #[must_use]
    pub fn of(availability: &Availability) -> Self {
        Self { count: availability.held_units(), next_ends_at: availability.next_hold_ends_at.map(time) }
    }
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaleView {
    product_id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    price: Money,
    state: SaleState,
    units: u32,
    max_per_shopper: u32,
    hold_seconds: u32,
    starts_at: String,
    ends_at: String,
    available_quantity: u32,
    as_of: String,
    holds: HoldsView,
    admission: Admission,
    server_time: String,
}

impl SaleView {
    /// How `sale` looks at `now` with what is known of its stock.
    #[must_use]
    pub fn new(sale: &Sale, availability: &Availability, now: Timestamp) -> Self {
        let draft = &sale.draft;
        Self {
            product_id: sale.product.to_string(),
            name: draft.name.clone(),
            description: draft.description.clone(),
            image_url: draft.image_url.clone(),
            price: draft.price,
            state: sale.state(now, availability.available()),
            units: sale.layout.units(),
            max_per_shopper: draft.max_per_shopper.units(),
            hold_seconds: draft.hold_seconds,
            starts_at: time(draft.starts_at),
            ends_at: time(draft.ends_at),
            available_quantity: availability.available(),
            as_of: time(availability.as_of),
            holds: HoldsView::of(availability),
            admission: draft.admission,
            server_time: time(now),
        }
    }
}
