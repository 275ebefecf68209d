//! The stored form of the availability item. It outlives its sale: after a deletion it has zeros and the last version, so that the
//! versions of a product never start again.

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{AttributeValue, TransactWriteItem, Update},
};
use domain::{Availability, ProductId, Timestamp, ceil_to_second};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    StoreError,
    item::{self, Item, attributes, parse},
    keys::{self, number},
    purchases::transaction::unbuildable,
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
    /// [`Availability::half_ends`]: a step of so many seconds, then for each shard the steps from `as_of`, rounded up; 0 is none. An
    /// earlier version does not write it.
    #[serde(default, skip_serializing_if = "ByteBuf::is_empty")]
    half_ends: ByteBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_hold_ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sold_out_at: Option<Timestamp>,
    /// The sale was deleted. An earlier version ignores this and reads a sale without units.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

/// An item as it was read.
pub(crate) struct Found {
    pub(crate) version: u64,
    /// `None`: the sale was deleted, and no later one has been written.
    pub(crate) availability: Option<Availability>,
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
        half_ends: ByteBuf::from(half_ends_to_bytes(availability)),
        next_hold_ends_at: availability.next_hold_ends_at,
        sold_out_at: availability.sold_out_at,
        deleted: false,
    };
    attributes(keys::availability(product), &body)
}

pub(crate) fn from_item(item: &Item) -> Result<Found, StoreError> {
    let form: AvailabilityForm = parse(item)?;
    let availability = Availability {
        as_of: form.as_of,
        version: form.version,
        free: form.free.into_vec(),
        half_ends: half_ends_from_bytes(&form.half_ends, form.as_of, form.held_by_shard.len()),
        held: form.held_by_shard.into_vec(),
        units: form.units,
        next_hold_ends_at: form.next_hold_ends_at,
        sold_out_at: form.sold_out_at,
    };
    Ok(Found { version: form.version, availability: (!form.deleted).then_some(availability) })
}

/// See [`AvailabilityForm::half_ends`]. An end that has passed, or is more than 18 hours away, is none. Without any end, there are no
/// bytes.
fn half_ends_to_bytes(availability: &Availability) -> Vec<u8> {
    let seconds = |end: &Option<Timestamp>| {
        let after = end.map_or(0, |end| ceil_to_second(end).as_second() - availability.as_of.as_second());
        u16::try_from(after).unwrap_or(0)
    };
    let latest = availability.half_ends.iter().map(seconds).max().unwrap_or(0);
    let Ok(step) = u8::try_from(latest.div_ceil(u16::from(u8::MAX))) else { return Vec::new() };
    if step == 0 {
        return Vec::new();
    }
    let steps = availability.half_ends.iter().map(|end| seconds(end).div_ceil(u16::from(step)));
    [step].into_iter().chain(steps.map(|steps| u8::try_from(steps).unwrap_or(0))).collect()
}

fn half_ends_from_bytes(bytes: &[u8], as_of: Timestamp, shards: usize) -> Vec<Option<Timestamp>> {
    let Some((step, steps)) = bytes.split_first() else { return vec![None; shards] };
    let end = |steps: i64| Timestamp::from_second(as_of.as_second() + steps * i64::from(*step)).ok().filter(|_| steps > 0);
    let mut ends: Vec<_> = steps.iter().map(|steps| end(i64::from(*steps))).collect();
    ends.resize(shards, None);
    ends
}

/// The part of a transaction that deletes the availability of a sale that was over at `over_at`. It needs no read, and it raises
/// the version, so that a write that was derived from any earlier version fails.
pub(crate) fn deletion(table: &str, product: &ProductId, over_at: Timestamp) -> Result<TransactWriteItem, StoreError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(keys::availability(product)))
        .update_expression(
            "SET available = :zero, held = :zero, sold = :zero, units = :zero, as_of = :over_at, #free = :empty, \
             held_by_shard = :empty, deleted = :true REMOVE half_ends, next_hold_ends_at, sold_out_at ADD version :one",
        )
        .expression_attribute_names("#free", "free")
        .expression_attribute_values(":zero", number(0))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":over_at", item::value(&over_at)?)
        .expression_attribute_values(":empty", AttributeValue::B(Blob::new(Vec::new())))
        .expression_attribute_values(":true", AttributeValue::Bool(true));
    Ok(TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build())
}
