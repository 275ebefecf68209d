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

/// Seconds: the last end that fits 253 steps of 128 s.
const LATEST_HALF_END: i64 = 253 * 128;

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
    /// [`Availability::half_ends`]: the seconds of a step, then for each shard the steps from `as_of`; 0 is none. An earlier version does
    /// not write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    half_ends: Option<ByteBuf>,
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
        half_ends: half_ends_to_bytes(availability).map(ByteBuf::from),
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
        half_ends: half_ends_from_bytes(
            form.half_ends.as_ref().map_or(&[], |bytes| bytes.as_slice()),
            form.as_of,
            form.held_by_shard.len(),
        ),
        held: form.held_by_shard.into_vec(),
        units: form.units,
        next_hold_ends_at: form.next_hold_ends_at,
        sold_out_at: form.sold_out_at,
    };
    Ok(Found { version: form.version, availability: (!form.deleted).then_some(availability) })
}

/// See [`AvailabilityForm::half_ends`]. An end that has passed, or is more than nine hours away, is none. Without any end, there are no
/// bytes.
///
/// Ends are rounded up to multiples of the step since 1970, and the step is a power of two. So an end that is read and written again
/// every second stays where the first writing put it.
fn half_ends_to_bytes(availability: &Availability) -> Option<Vec<u8>> {
    let now = availability.as_of.as_second();
    let ends: Vec<i64> = availability.half_ends.iter().map(|end| end.map_or(0, |end| ceil_to_second(end).as_second())).collect();
    let latest = ends.iter().map(|end| end - now).filter(|after| *after > 0 && *after <= LATEST_HALF_END).max()?;
    let exponent = (0..=7_u8).find(|exponent| (latest >> exponent) + 2 <= i64::from(u8::MAX))?;
    let steps = |end: i64| if end > now { ((end - 1) >> exponent) + 1 - (now >> exponent) } else { 0 };
    Some([1 << exponent].into_iter().chain(ends.iter().map(|end| u8::try_from(steps(*end)).unwrap_or(0))).collect())
}

fn half_ends_from_bytes(bytes: &[u8], as_of: Timestamp, shards: usize) -> Vec<Option<Timestamp>> {
    let Some((step, steps)) = bytes.split_first().filter(|(step, _)| **step > 0) else { return vec![None; shards] };
    let step = i64::from(*step);
    let end = |steps: u8| Timestamp::from_second((as_of.as_second() / step + i64::from(steps)) * step).ok().filter(|_| steps > 0);
    let mut ends: Vec<_> = steps.iter().map(|steps| end(*steps)).collect();
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

#[cfg(test)]
mod tests {
    use domain::{ShardLayout, SignedDuration};

    use super::*;

    /// Every second one shard gets a new hold, so that the longest time and with it the step changes. The others are read and written.
    #[test]
    fn an_end_that_is_read_and_written_every_second_stays_where_it_is() {
        let start: Timestamp = "2026-11-20T12:00:00.25Z".parse().unwrap();
        let end = start + SignedDuration::from_secs(599);
        let mut availability = Availability::untouched(&ShardLayout::new(50, 2), start);
        availability.half_ends = vec![Some(end), None];
        for second in 0..599 {
            availability.as_of = start + SignedDuration::from_secs(second);
            let longest = if second % 2 == 0 { 3_600 } else { 100 };
            availability.half_ends = vec![
                availability.half_ends.first().copied().flatten(),
                Some(availability.as_of + SignedDuration::from_secs(longest)),
            ];
            let bytes = half_ends_to_bytes(&availability).unwrap();
            availability.half_ends = half_ends_from_bytes(&bytes, availability.as_of, 2);
            let late = availability.half_ends.first().copied().flatten().unwrap().duration_since(end);
            assert!((SignedDuration::ZERO..=SignedDuration::from_secs(16)).contains(&late), "{late} after {second} s");
        }
    }

    #[test]
    fn ends_that_have_passed_or_are_hours_away_are_none() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let at = |seconds: i64| Some(now + SignedDuration::from_secs(seconds));
        let mut availability = Availability::untouched(&ShardLayout::new(100, 4), now);
        availability.half_ends = vec![at(0), at(-5), at(50_000), None];
        assert_eq!(half_ends_to_bytes(&availability), None);
        availability.half_ends = vec![at(1), at(253), at(50_000), None];
        let bytes = half_ends_to_bytes(&availability).unwrap();
        assert_eq!(bytes, [1, 1, 253, 0, 0]);
        assert_eq!(half_ends_from_bytes(&bytes, now, 4), [at(1), at(253), None, None]);
        assert_eq!(half_ends_from_bytes(&[], now, 2), [None, None]);
        assert_eq!(half_ends_from_bytes(&[0, 7], now, 2), [None, None]);
    }
}
