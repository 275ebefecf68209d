//! The stored form of the availability item.

use domain::{Availability, ProductId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    StoreError,
    item::{Item, attributes, parse},
    keys,
};

#[derive(Serialize, Deserialize)]
struct AvailabilityForm {
    available: u32,
    held: u32,
    sold: u32,
    units: u32,
    as_of: Timestamp,
    version: u64,
    free: ByteBuf,
    held_by_shard: ByteBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_hold_ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sold_out_at: Option<Timestamp>,
}

pub(crate) fn to_item(product: &ProductId, availability: &Availability) -> Result<Item, StoreError> {
    let body = AvailabilityForm {
        available: availability.available(),
        held: availability.held_units(),
        sold: availability.sold_units(),
        units: availability.units,
        as_of: availability.as_of,
        version: availability.version,
        free: ByteBuf::from(availability.free.clone()),
        held_by_shard: ByteBuf::from(availability.held.clone()),
        next_hold_ends_at: availability.next_hold_ends_at,
        sold_out_at: availability.sold_out_at,
    };
    attributes(keys::availability(product), &body)
}

pub(crate) fn from_item(item: &Item) -> Result<Availability, StoreError> {
    let form: AvailabilityForm = parse(item)?;
    Ok(Availability {
        as_of: form.as_of,
        version: form.version,
        free: form.free.into_vec(),
        held: form.held_by_shard.into_vec(),
        units: form.units,
        next_hold_ends_at: form.next_hold_ends_at,
        sold_out_at: form.sold_out_at,
    })
}
