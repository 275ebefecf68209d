//! Items in stream records.

use domain::{Order, ProductId, Reservation, ShardNumber, StockShard};
use serde_dynamo::Item as StreamItem;

use crate::{StoreError, item::Item, keys, orders, reservations, stock};

/// The shard in a stream record's new image. `None`: the image is another kind of item.
///
/// # Errors
/// When the image is a shard that cannot be read.
pub fn shard_image(image: &StreamItem) -> Result<Option<(ProductId, ShardNumber, StockShard)>, StoreError> {
    let item: Item = image.clone().into();
    let pk = item.get("pk").and_then(|pk| pk.as_s().ok()).map(String::as_str).unwrap_or_default();
    let Some((product, number)) = keys::parse_shard_pk(pk) else { return Ok(None) };
    let shard = stock::form::from_item(&product, &item)?;
    Ok(Some((product, number, shard)))
}

/// The product of a changed item in a sale's partition: the sale, its availability. `None`: the key of another kind of item.
#[must_use]
pub fn sale_key(key: &StreamItem) -> Option<ProductId> {
    keys::sale_of(&key.clone().into())
}

/// The reservation in an image of a stream record. `None`: the image is another kind of item.
///
/// # Errors
/// When the image is a reservation that cannot be read.
pub fn reservation_image(image: &StreamItem) -> Result<Option<Reservation>, StoreError> {
    let item: Item = image.clone().into();
    keys::is_reservation(&item).then(|| reservations::form::from_item(&item)).transpose()
}

/// The order in an image of a stream record. `None`: the image is another kind of item.
///
/// # Errors
/// When the image is an order that cannot be read.
pub fn order_image(image: &StreamItem) -> Result<Option<Order>, StoreError> {
    let item: Item = image.clone().into();
    keys::is_order(&item).then(|| orders::form::from_item(&item)).transpose()
}
