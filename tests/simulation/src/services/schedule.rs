//! The schedule that runs `reconcile`: every minute, sometimes twice at once, independently of everything else. Before
//! each run it lets `checks` verify what the previous run should have ended.

use std::sync::Arc;

use domain::{Clock, Timestamp};
use jiff::SignedDuration;
use reconcile::Findings;

use crate::{
    checks::{invariants::NO_FALSE_ALARM, overdue},
    faults::Fault,
    services::{environments, functions::timeout_seconds},
    world::{Violation, World},
};

/// Interval between two runs.
const EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Interval after a quiet while, when hours pass in which there is nothing to do.
const EVERY_WHEN_QUIET: SignedDuration = SignedDuration::from_mins(30);
/// Time that the last holds need to end.
const A_WHILE: SignedDuration = SignedDuration::from_mins(8);
/// Time before its time-out at which a run should stop, as in the kit.
const TIME_TO_STOP: SignedDuration = SignedDuration::from_secs(10);

/// Runs `reconcile` for ever.
pub(crate) async fn run(world: Arc<World>) {
    loop {
        let is_busy = |since: Timestamp| world.time.now() < since.checked_add(A_WHILE).unwrap();
        let every = if world.quiet_since().is_none_or(is_busy) { EVERY } else { EVERY_WHEN_QUIET };
        world.sleep(every.unsigned_abs()).await;
        if let Err(violation) = overdue::none_is(&world, every) {
            world.violate(violation);
        }
        let times = if world.strikes(Fault::ScheduleTwice) { 2 } else { 1 };
        for _ in 0..times {
            let again = Arc::clone(&world);
            world.spawn(async move { _ = once(&again).await });
        }
    }
}

/// Runs once. Returns the findings, if the run ended.
pub(crate) async fn once(world: &Arc<World>) -> Option<Findings> {
    let longest = SignedDuration::from_secs(i64::try_from(timeout_seconds("reconcile")).unwrap());
    let until: Timestamp = world.time.now().checked_add(longest - TIME_TO_STOP).unwrap();
    world.step();
    let found = environments::reconcile(world, until).await.ok()?.ok()?;
    if found != Findings::default() {
        world.note(|| format!("reconcile found {found:?}"));
    }
    if found.oversold_units > 0 || found.undersold_units > 0 {
        world.violate(Violation { invariant: NO_FALSE_ALARM, detail: format!("{found:?}") });
    }
    Some(found)
}
