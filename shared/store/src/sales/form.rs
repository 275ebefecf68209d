//! The stored form of a sale.

use domain::{
    Admission, Currency, DrawSeed, Extent, ProductId, ProofOfWork, Quantity, RestockKey, Sale, SaleDraft, SaleStatus,
    ShardLayout, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Restock, StoredSale};
use crate::{
    StoreError,
    item::{Item, attributes, money, name, parse},
    keys,
    word::Word,
};

#[derive(Serialize, Deserialize)]
struct SaleForm {
    product: ProductId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    amount_minor: i64,
    currency: Currency,
    units: u32,
    shards: u32,
    /// Number of shards that were ever made: those above `shards` are left over from an earlier description.
    shards_made: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    shards_ready: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shards_chosen: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    visible_from: Option<Timestamp>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    hold_seconds: u32,
    /// An earlier version did not store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_hold_seconds: Option<u32>,
    max_per_shopper: Quantity,
    admission: AdmissionForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof_of_work: Option<ProofOfWorkForm>,
    status: Word<SaleStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Timestamp>,
    /// Closed in preparation, or being deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
    /// [`Sales::note_cooling`](super::Sales::note_cooling) sets it, without a new revision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cooling: bool,
    /// The seed of the draw in hex. Nobody but the functions may read it before the sale's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    draw_seed: Option<String>,
    revision: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    restocks: Vec<RestockForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_restock: Option<RestockForm>,
}

#[derive(Serialize, Deserialize)]
struct AdmissionForm {
    mode: Word<AdmissionMode>,
    /// Of a draw, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ramp_seconds: Option<u32>,
}

/// The stored name of an [`Admission`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdmissionMode {
    Fcfs,
    Draw,
}

impl From<Admission> for AdmissionForm {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::Fcfs => Self { mode: Word(AdmissionMode::Fcfs), ramp_seconds: None },
            Admission::Draw { ramp_seconds } => Self { mode: Word(AdmissionMode::Draw), ramp_seconds: Some(ramp_seconds) },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ProofOfWorkForm {
    /// Rounds of PBKDF2 for each counter.
    cost: u32,
    window_seconds: u32,
}

#[derive(Serialize, Deserialize)]
struct RestockForm {
    key: RestockKey,
    units: u32,
    shards: u32,
    revision: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    shards_ready: u32,
}

impl From<&Restock> for RestockForm {
    fn from(restock: &Restock) -> Self {
        let Restock { key, extent: Extent { units, shards }, revision, shards_ready } = restock.clone();
        Self { key, units, shards, revision, shards_ready }
    }
}

impl From<RestockForm> for Restock {
    fn from(form: RestockForm) -> Self {
        let extent = Extent { units: form.units, shards: form.shards };
        Self { key: form.key, extent, revision: form.revision, shards_ready: form.shards_ready }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Writes every attribute that the sale was read with, including those that only a later version knows. So an operator
/// who pauses the sale after a roll-back deletes none of them.
pub(crate) fn to_item(record: &StoredSale) -> Result<Item, StoreError> {
    let (sale, draft) = (&record.sale, &record.sale.draft);
    let body = SaleForm {
        product: sale.product.clone(),
        name: draft.name.clone(),
        description: draft.description.clone(),
        image_url: draft.image_url.clone(),
        amount_minor: draft.price.amount_minor(),
        currency: draft.price.currency(),
        units: sale.layout.made().units,
        shards: sale.layout.made().shards,
        shards_made: record.shards_made,
        shards_ready: record.shards_ready,
        shards_chosen: draft.shards.is_some(),
        visible_from: draft.visible_from,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        hold_seconds: draft.hold_seconds,
        max_hold_seconds: Some(draft.max_hold_seconds),
        max_per_shopper: draft.max_per_shopper,
        admission: draft.admission.into(),
        proof_of_work: draft.proof_of_work.map(|ProofOfWork { cost, window_seconds }| ProofOfWorkForm { cost, window_seconds }),
        status: Word(sale.status),
        closed_at: sale.closed_at,
        unfinished: sale.is_unfinished,
        cooling: sale.has_cooling_shoppers,
        draw_seed: sale.draw_seed.as_ref().map(DrawSeed::hex),
        revision: record.revision,
        restocks: record.restocks.iter().map(RestockForm::from).collect(),
        unfinished_restock: record.unfinished.as_ref().map(RestockForm::from),
    };
    let mut item = attributes(keys::sale(&sale.product), &body)?;
    item.extend(record.unknown.clone());
    Ok(item)
}

pub(crate) fn from_item(item: &Item) -> Result<StoredSale, StoreError> {
    let form: SaleForm = parse(item)?;
    let draft = SaleDraft {
        name: form.name,
        description: form.description,
        image_url: form.image_url,
        price: money(item, form.amount_minor, form.currency)?,
        units: form.units,
        visible_from: form.visible_from,
        starts_at: form.starts_at,
        ends_at: form.ends_at,
        hold_seconds: form.hold_seconds,
        max_hold_seconds: form.max_hold_seconds.unwrap_or_else(|| SaleDraft::default_max_hold_seconds(form.hold_seconds)),
        max_per_shopper: form.max_per_shopper,
        admission: match (form.admission.mode.0, form.admission.ramp_seconds) {
            (AdmissionMode::Fcfs, _) => Admission::Fcfs,
            (AdmissionMode::Draw, Some(ramp_seconds)) => Admission::Draw { ramp_seconds },
            (AdmissionMode::Draw, None) => return Err(StoreError::corrupt(name(item), "a draw has a ramp")),
        },
        proof_of_work: form.proof_of_work.map(|ProofOfWorkForm { cost, window_seconds }| ProofOfWork { cost, window_seconds }),
        shards: form.shards_chosen.then_some(form.shards),
    };
    let restocks: Vec<Restock> = form.restocks.into_iter().map(Restock::from).collect();
    let unfinished = form.unfinished_restock.map(Restock::from);
    if form.shards == 0 || restocks.iter().chain(&unfinished).any(|restock| restock.extent.shards == 0) {
        return Err(StoreError::corrupt(name(item), "a sale, and what is restocked, has at least one shard"));
    }
    let is_seed = || StoreError::corrupt(name(item), "the seed of a draw is 32 bytes in hex");
    let draw_seed = form.draw_seed.map(|hex| DrawSeed::from_hex(&hex).ok_or_else(is_seed)).transpose()?;
    let made = ShardLayout::new(form.units, form.shards);
    let layout = restocks.iter().fold(made, |layout, restock| layout.restocked(restock.extent));
    let sale = Sale {
        product: form.product,
        draft,
        layout,
        status: form.status.0,
        closed_at: form.closed_at,
        is_unfinished: form.unfinished,
        has_cooling_shoppers: form.cooling,
        draw_seed,
    };
    let (shards_made, shards_ready, revision) = (form.shards_made, form.shards_ready, form.revision);
    let mut stored = StoredSale { sale, shards_made, shards_ready, revision, restocks, unfinished, unknown: Item::new() };
    let known = to_item(&stored)?;
    stored.unknown =
        item.iter().filter(|(name, _)| !known.contains_key(*name)).map(|(name, of)| (name.clone(), of.clone())).collect();
    Ok(stored)
}
