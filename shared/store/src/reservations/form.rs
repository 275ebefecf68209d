//! The stored form of a reservation.

use domain::{GatewayName, Quantity, Reservation, ReservationId, ReservationStatus, ShardNumber, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{Item, attributes, name, parse, second},
    keys,
    word::Word,
};

#[derive(Serialize, Deserialize)]
struct ReservationForm {
    pk: String,
    reservation_id: ReservationId,
    shard: u32,
    quantity: Quantity,
    status: Word<ReservationStatus>,
    /// Epoch seconds.
    expires_at: i64,
    /// Epoch seconds. An earlier version stored no such end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest_end: Option<i64>,
    /// An earlier version stored none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<GatewayName>,
    /// Epoch milliseconds.
    created_at: i64,
    /// Epoch seconds. Stored only while the reservation is held, so that TTL never deletes any other reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

pub(crate) fn to_item(reservation: &Reservation) -> Result<Item, StoreError> {
    let key = keys::reservation(&reservation.shopper, reservation.id.product());
    let body = ReservationForm {
        pk: keys::reservation_pk(&reservation.shopper),
        reservation_id: reservation.id.clone(),
        shard: reservation.shard.0,
        quantity: reservation.quantity,
        status: Word(reservation.status),
        expires_at: reservation.expires_at.as_second(),
        latest_end: reservation.latest_end.map(Timestamp::as_second),
        accounts: reservation.accounts.clone(),
        created_at: reservation.created_at.as_millisecond(),
        ttl: (reservation.status == ReservationStatus::Held).then_some(reservation.expires_at.as_second()),
    };
    attributes(key, &body)
}

pub(crate) fn from_item(item: &Item) -> Result<Reservation, StoreError> {
    let form: ReservationForm = parse(item)?;
    let shopper = form.pk.strip_prefix("SHOPPER#").unwrap_or_default();
    Ok(Reservation {
        id: form.reservation_id,
        shopper: shopper.parse().map_err(|error| StoreError::corrupt(name(item), error))?,
        shard: ShardNumber(form.shard),
        quantity: form.quantity,
        status: form.status.0,
        expires_at: second(item, form.expires_at)?,
        latest_end: form.latest_end.map(|end| second(item, end)).transpose()?,
        accounts: form.accounts,
        created_at: Timestamp::from_millisecond(form.created_at).map_err(|error| StoreError::corrupt(name(item), error))?,
    })
}
