//! Sales as clients see them.

use domain::{Admission, Availability, Money, ProofOfWork, Sale, SaleDraft, SaleState, Timestamp};
use kit::{Problem, Request, http};
use serde::{
    Deserialize, Serialize,
    de::{self, IntoDeserializer},
};
use utoipa::ToSchema;

use crate::{Holds, schemas, sent_time, time};

/// Held units, which may become available again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Holds)]
pub struct HoldsView {
    /// Units held.
    pub count: u32,
    /// The earliest end of the known holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    pub next_ends_at: Option<String>,
    /// When about half of the held units are back, if nobody pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    pub half_end_at: Option<String>,
}

impl HoldsView {
    /// `count` held units at `now`. A hold's end that has passed is not announced: its units come back any moment.
    pub(crate) fn new(count: u32, next_ends_at: Option<Timestamp>, half_end_at: Option<Timestamp>, now: Timestamp) -> Self {
        let announced = |end: Option<Timestamp>| end.filter(|end| *end > now).map(time);
        Self { count, next_ends_at: announced(next_ends_at), half_end_at: announced(half_end_at) }
    }
}

/// How the sale admits shoppers: `mode`, and the proof of work that it asks for, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Admission)]
pub(crate) struct AdmissionView {
    #[serde(flatten)]
    mode: ModeView,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_of_work: Option<ProofOfWorkView>,
}

/// In which order the sale admits shoppers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case")]
#[schema(as = AdmissionMode)]
enum ModeView {
    /// First come, first served.
    Fcfs,
    /// By draw.
    Draw {
        #[schema(value_type = schemas::RampSeconds)]
        ramp_seconds: u32,
    },
}

/// The proof of work that the sale asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProofOfWork)]
struct ProofOfWorkView {
    /// Rounds of PBKDF2 for each counter that a device tries. A crowd's challenges cost up to four times as much.
    #[schema(value_type = schemas::ProofOfWorkCost)]
    cost: u32,
    #[schema(value_type = schemas::WindowSeconds)]
    window_seconds: u32,
}

impl AdmissionView {
    fn new(draft: &SaleDraft) -> Self {
        let mode = match draft.admission {
            Admission::Fcfs => ModeView::Fcfs,
            Admission::Draw { ramp_seconds } => ModeView::Draw { ramp_seconds },
        };
        let view = |ProofOfWork { cost, window_seconds }| ProofOfWorkView { cost, window_seconds };
        Self { mode, proof_of_work: draft.proof_of_work.map(view) }
    }
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleView {
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    #[schema(value_type = schemas::SaleName)]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::SaleDescription)]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::ImageUrl)]
    image_url: Option<String>,
    /// The price of one unit.
    #[schema(value_type = schemas::Money)]
    price: Money,
    #[schema(value_type = schemas::SaleState)]
    state: SaleState,
    /// All units of the sale, with every restock.
    #[schema(value_type = schemas::SaleUnits)]
    units: u32,
    #[schema(value_type = schemas::Quantity)]
    max_per_shopper: u32,
    #[schema(value_type = schemas::HoldSeconds)]
    hold_seconds: u32,
    /// How long a hold lasts at most, however many payments fail.
    #[schema(value_type = schemas::MaxHoldSeconds)]
    max_hold_seconds: u32,
    /// The number of shards that the operator chose, if the operator chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Shards)]
    shards: Option<u32>,
    /// Before this time, shoppers do not learn of the sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    visible_from: Option<String>,
    #[schema(value_type = schemas::Time)]
    starts_at: String,
    #[schema(value_type = schemas::Time)]
    ends_at: String,
    /// Available units as of `as_of`, normally at most two seconds ago.
    available_quantity: u32,
    /// The time of the stock figures.
    #[schema(value_type = schemas::Time)]
    as_of: String,
    holds: HoldsView,
    admission: AdmissionView,
    #[schema(value_type = schemas::Time)]
    server_time: String,
}

impl SaleView {
    /// `sale` at `now` with its stock.
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
            max_hold_seconds: draft.max_hold_seconds,
            shards: draft.shards,
            visible_from: draft.visible_from.map(sent_time),
            starts_at: sent_time(draft.starts_at),
            ends_at: sent_time(draft.ends_at),
            available_quantity: availability.available(),
            as_of: time(availability.as_of),
            holds: Holds::of(availability).view(now),
            admission: AdmissionView::new(draft),
            server_time: time(now),
        }
    }
}

/// The catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Sales)]
pub struct SalesView {
    #[schema(value_type = schemas::Time)]
    server_time: String,
    /// Up to a hundred, by product id; those that have ended come last.
    sales: Vec<SaleView>,
    /// The parameter `next` of the following page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::CataloguePage)]
    next: Option<String>,
}

impl SalesView {
    /// A page of `sales` at `now`, each with its stock: those in `state`, or all. `next`: where the following page begins.
    pub fn new<'s>(
        sales: impl IntoIterator<Item = &'s (Sale, Availability)>,
        state: Option<SaleState>,
        next: Option<String>,
        now: Timestamp,
    ) -> Self {
        let sales = sales.into_iter().map(|(sale, availability)| SaleView::new(sale, availability, now));
        let mut sales: Vec<SaleView> = sales.filter(|sale| state.is_none_or(|state| sale.state == state)).collect();
        sales.sort_by_key(|sale| sale.state == SaleState::Ended);
        Self { server_time: time(now), sales, next }
    }
}

/// The parameter `state` of the catalogue: only sales in this state are listed.
///
/// # Errors
/// 400 when it is not a state.
pub fn listed_state(request: &Request) -> Result<Option<SaleState>, Problem> {
    let Some(text) = http::query_parameter(request, "state") else { return Ok(None) };
    let state = SaleState::deserialize(text.into_deserializer());
    state.map(Some).map_err(|_: de::value::Error| {
        let states = "in_preparation, scheduled, open, paused, sold_out or ended";
        Problem::malformed_request(format!("state is one of {states}"), "")
    })
}

/// The available units of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Inventory)]
pub struct InventoryView {
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    available_quantity: u32,
    /// The time of the stock figures.
    #[schema(value_type = schemas::Time)]
    as_of: String,
}

impl InventoryView {
    /// The stock of `sale`.
    #[must_use]
    pub fn new(sale: &Sale, availability: &Availability) -> Self {
        Self {
            product_id: sale.product.to_string(),
            available_quantity: availability.available(),
            as_of: time(availability.as_of),
        }
    }
}
