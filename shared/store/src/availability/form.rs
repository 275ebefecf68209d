//! The stored form of the availability item. It outlives its sale: after a deletion it has zeros and the last version, so that the
//! versions of a product never start again.

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{AttributeValue, TransactWriteItem, Update},
};
use domain::{Availability, ProductId, Timestamp};
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
        held: form.held_by_shard.into_vec(),
        units: form.units,
        next_hold_ends_at: form.next_hold_ends_at,
        sold_out_at: form.sold_out_at,
    };
    Ok(Found { version: form.version, availability: (!form.deleted).then_some(availability) })
}

/// The part of a transaction that deletes the availability of a sale that was over at `over_at`. It needs no read, and it raises
/// the version, so that a write that was derived from any earlier version fails.
pub(crate) fn deletion(table: &str, product: &ProductId, over_at: Timestamp) -> Result<TransactWriteItem, StoreError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(keys::availability(product)))
        .update_expression(
            "SET available = :zero, held = :zero, sold = :zero, units = :zero, as_of = :over_at, #free = :empty, \
             held_by_shard = :empty, deleted = :true REMOVE next_hold_ends_at, sold_out_at ADD version :one",
        )
        .expression_attribute_names("#free", "free")
        .expression_attribute_values(":zero", number(0))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":over_at", item::value(&over_at)?)
        .expression_attribute_values(":empty", AttributeValue::B(Blob::new(Vec::new())))
        .expression_attribute_values(":true", AttributeValue::Bool(true));
    Ok(TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build())
}
