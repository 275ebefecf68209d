//! The stored form of a shard.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Hold, ProductId, Quantity, ReservationId, ShardNumber, ShopperId, Sold, StockShard};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{Item, attributes, name, parse, second, value},
    keys,
};

#[derive(Serialize, Deserialize)]
struct HeldForm {
    /// ULID of the reservation: the shard's key has the product.
    r: String,
    q: Quantity,
    /// Epoch seconds.
    x: i64,
}

#[derive(Serialize, Deserialize)]
struct SoldForm {
    r: String,
    q: Quantity,
}

#[derive(Serialize, Deserialize)]
struct ShardForm {
    /// Revision of the sale for which the shard was made. The names are short because every move pays for every byte of
    /// the shard.
    #[serde(default)]
    rev: u64,
    capacity: u32,
    available: u32,
    held: BTreeMap<ShopperId, HeldForm>,
    sold: BTreeMap<ShopperId, SoldForm>,
}

pub(crate) fn new_shard(product: &ProductId, number: ShardNumber, capacity: u32, revision: u64) -> Result<Item, StoreError> {
    let body = ShardForm { rev: revision, capacity, available: capacity, held: BTreeMap::new(), sold: BTreeMap::new() };
    attributes(keys::shard(product, number), &body)
}

/// The revision of the sale for which a shard was made.
pub(crate) fn revision(item: &Item) -> Result<u64, StoreError> {
    Ok(parse::<ShardForm>(item)?.rev)
}

pub(crate) fn held(hold: &Hold) -> Result<AttributeValue, StoreError> {
    value(&HeldForm { r: hold.reservation.ulid(), q: hold.quantity, x: hold.expires_at.as_second() })
}

pub(crate) fn sold(reservation: &ReservationId, quantity: Quantity) -> Result<AttributeValue, StoreError> {
    value(&SoldForm { r: reservation.ulid(), q: quantity })
}

pub(crate) fn from_item(product: &ProductId, item: &Item) -> Result<StockShard, StoreError> {
    let form: ShardForm = parse(item)?;
    let reservation = |ulid: &str| ReservationId::of(product, ulid).map_err(|error| StoreError::corrupt(name(item), error));
    let mut held = BTreeMap::new();
    for (shopper, hold) in form.held {
        let hold = Hold { reservation: reservation(&hold.r)?, quantity: hold.q, expires_at: second(item, hold.x)? };
        held.insert(shopper, hold);
    }
    let mut sold = BTreeMap::new();
    for (shopper, sale) in form.sold {
        sold.insert(shopper, Sold { reservation: reservation(&sale.r)?, quantity: sale.q });
    }
    Ok(StockShard::from_parts(form.capacity, form.available, held, sold))
}
