//! The check at the start of a run of `reconcile`. It may read the items and which reservations ended; it changes nothing.

use domain::Clock;
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    invariants::{NO_LONGER_THAN_A_RUN, Outcome, fail},
    items::{Entry, entries, id_of, reservations, ulid},
};
use crate::{
    services::tables::{number, text},
    world::World,
};

/// Time in which the stream triggers the release of the units after `reconcile` has ended a hold.
const RELEASED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Checks, in the quiet time, that the previous run of `reconcile` ended every hold that it should have ended.
pub(crate) fn none_is(world: &World, interval: SignedDuration) -> Outcome {
    let now = world.time.now();
    let patience = interval + RELEASED_WITHIN;
    if world.quiet_since().is_none_or(|since| now < since.checked_add(patience + interval).unwrap()) {
        return Ok(());
    }
    let before = now.checked_sub(patience).unwrap().as_second();
    world.tables.look(|items| {
        for held in entries(items, "held") {
            let is_its = |item: &&Value| ulid(text(item, "reservation_id")) == held.ulid && number(item, "shard") == held.shard;
            let reservation = reservations(items).map(|(_, item)| item).find(is_its);
            // A payment has its own time limit. A failed payment extends the hold in its reservation only.
            let ends_at = match reservation {
                Some(item) if text(item, "status") != "HELD" => continue,
                Some(item) => held.ends_at.max(number(item, "expires_at")),
                // The reservation was deleted then, and the stream is about to release its units.
                None => held.ends_at.max(world.tables.ended_at(&id_of(held.ulid)).unwrap_or(0)),
            };
            if ends_at < before {
                let Entry { shopper, units, shard, .. } = held;
                return fail(
                    NO_LONGER_THAN_A_RUN,
                    format!("{shopper}'s {units} units of shard {shard} were held until {ends_at}"),
                );
            }
        }
        Ok(())
    })
}
