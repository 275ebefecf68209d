//! What holds at the start of a run of `reconcile`. May look at the items and at which reservations ended; changes nothing.

use domain::Clock;
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    invariants::{NO_LONGER_THAN_A_RUN, Outcome, fail},
    items::{Entry, entries, id_of, of_table, ulid},
};
use crate::{
    services::tables::{RESERVATION, number, text},
    world::World,
};

/// A hold that `reconcile` has ended is released by the stream after that.
const RELEASED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// At the start of a run of `reconcile`, once all is quiet: what the run before it should have ended is gone.
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
            let reservation = of_table(items, RESERVATION).map(|(_, item)| item).find(is_its);
            // Payments have a time of their own; a failed one prolongs the hold in its reservation alone.
            let ends_at = match reservation {
                Some(item) if text(item, "status") != "HELD" => continue,
                Some(item) => held.ends_at.max(number(item, "expires_at")),
                // The stream is about to release what was held until then.
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
