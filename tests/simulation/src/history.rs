//! Runs one history from its beginning to its end, and the histories of many seeds. Only this module starts actors and
//! services. It reads the items only through `checks`.

use std::{
    fmt::Write,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Clock, Quantity, SaleDraft};
use jiff::SignedDuration;
use manage_sale::SalePreparation;
use parts::FromParts;
use reconcile::Findings;

use crate::{
    actors::{operator::Operator, person, refunder::Refunder, shoppers::Shopper},
    checks::{self, finally, invariants, mutations::Mutation},
    faults::{Faults, Injected},
    services::{functions::parts, queues, schedule, streams, tables, webhooks},
    time::SkewedClock,
    world::{Violation, World},
};

/// How long faults go on, regardless of what the shoppers do.
const TROUBLES: Duration = Duration::from_mins(10);
/// Long enough for every queue to run dry, every retry to end and every hold to be over.
const LONG_ENOUGH: Duration = Duration::from_hours(2);
/// Histories between two lines of progress.
const PROGRESS: u64 = 1_000;
/// Rounds in which `reconcile` or the person may still find something to do.
const MOST_ROUNDS: usize = 6;
/// As many while a refund that an operator requested is pending: Stripe repeats an answer 500 under its idempotency key for a day, and
/// then `reconcile` may wait for six hours more.
const MOST_ROUNDS_OF_REFUNDS: usize = 18;

/// The result of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Requests, and steps of shoppers and of the saga.
    pub steps: u64,
    /// The faults that were injected.
    pub injected: Injected,
    /// The first invariant that did not hold.
    pub violation: Option<Violation>,
    /// Everything that happened, if it was recorded.
    pub lines: Vec<String>,
}

/// Runs the history of a seed.
pub fn run(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>) -> History {
    in_virtual_time(seed, faults, mutation, false)
}

/// Runs the history of a seed, and records it.
pub fn run_recorded(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>) -> History {
    in_virtual_time(seed, faults, mutation, true)
}

fn in_virtual_time(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>, recorded: bool) -> History {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new(seed, faults, mutation, recorded);
        tokio::select! {
            biased;
            () = world.violated() => {}
            // A panic counts as a violation, so that its seed is known.
            _ = world.spawn(live(Arc::clone(&world))) => {}
        }
        world.end()
    })
}

/// Runs a history from its beginning to its end.
async fn live(world: Arc<World>) {
    let world = &world;
    open_sale(world).await;
    queues::start(world);
    streams::start(world);
    world.spawn(webhooks::deliver(Arc::clone(world)));
    world.set_quiet(false);
    world.spawn(streams::sweep(Arc::clone(world)));
    world.spawn(schedule::run(Arc::clone(world)));
    let shoppers: Vec<_> =
        (1..=world.size.shoppers).map(|n| world.spawn(Shopper::new(world, format!("shopper-{n}")).shop())).collect();
    let operator = world.spawn(Operator::new(world).operate());
    let refunder = world.spawn(Refunder::new(world).refund());
    let all = async {
        for shopper in shoppers {
            _ = shopper.await;
        }
    };
    _ = tokio::time::timeout(TROUBLES, all).await;
    world.set_quiet(true);
    let Ok(mut operator) = operator.await else { return };
    operator.finish().await;
    let Ok(mut refunder) = refunder.await else { return };
    refunder.finish().await;
    quieten(world).await;
    operator.finish_deletion().await;
    // One shopper more than there are units left.
    let units = world.tables.look(checks::available);
    let late = (0..=units).map(|n| world.spawn(Shopper::new(world, format!("late-{n}")).buy_what_is_left()));
    for shopper in late.collect::<Vec<_>>() {
        _ = shopper.await;
    }
    quieten(world).await;
    // TTL may be hours late: here it comes when no other component has anything left to end.
    world.tables.sweep_ttl();
    world.check();
    world.sleep(Duration::from_mins(5)).await;
    world.note(|| format!("{} dead letters", world.queues.dead()));
    match finally::holds(world) {
        Ok(()) => operator.read_report().await,
        Err(violation) => world.violate(violation),
    }
}

/// Waits until all work has ended: `reconcile` and the person have nothing left to do.
async fn quieten(world: &Arc<World>) {
    let mut left = String::new();
    let (mut rounds, mut most) = (0, MOST_ROUNDS);
    while rounds < most {
        rounds += 1;
        world.sleep(LONG_ENOUGH).await;
        // Environments do not live that long.
        world.environments.recycle();
        let (found, calls) = (schedule::once(world).await, person::called(world));
        if found == Some(Findings::default()) && calls == 0 {
            return;
        }
        let is_refund_pending = found.as_ref().is_some_and(|found| found.operator_refunds_pending > 0);
        most = if is_refund_pending { MOST_ROUNDS_OF_REFUNDS } else { most };
        left = format!("reconcile finds {found:?}, and a person is called {calls} times");
    }
    world.violate(Violation { invariant: invariants::NOTHING_LEFT, detail: left });
}

/// Makes the sale as operators do, and waits until it is open.
async fn open_sale(world: &World) {
    test_aws::create_tables(&world.clients.dynamodb, &tables::names()).await;
    let now = world.time.now();
    let size = world.size;
    let draft = SaleDraft {
        units: size.units,
        starts_at: now.checked_add(SignedDuration::from_secs(10)).unwrap(),
        ends_at: now.checked_add(SignedDuration::from_hours(24 * 30)).unwrap(),
        hold_seconds: size.hold_seconds,
        max_hold_seconds: size.max_hold_seconds,
        max_per_shopper: Quantity::new(size.max_per_shopper).unwrap(),
        shards: Some(size.shards),
        ..test_shop::draft()
    };
    draft.check().unwrap();
    let preparation = SalePreparation::from_parts(&mut parts(world, &SkewedClock::ahead(&world.time, 0)));
    preparation.make(&World::product(), draft).await.unwrap();
    world.note(|| format!("{size:?}"));
    world.sleep(Duration::from_secs(10)).await;
}

/// The totals of many histories.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Histories that were run.
    pub histories: u64,
    /// The steps of all histories.
    pub steps: u64,
    /// The faults in all histories.
    pub injected: Injected,
    /// The seeds that failed, with the violation, lowest first.
    pub failed: Vec<(u64, Violation)>,
}

impl Summary {
    fn add(&mut self, seed: u64, history: History) {
        self.histories += 1;
        self.steps += history.steps;
        for (fault, times) in history.injected {
            *self.injected.entry(fault).or_default() += times;
        }
        if let Some(violation) = history.violation {
            self.failed.push((seed, violation));
            self.failed.sort_by_key(|(seed, _)| *seed);
        }
    }

    /// The figures, one per line, with how often each of `faults` was injected.
    pub fn figures(&self, faults: &Faults) -> String {
        let mut text = format!("{} histories, {} steps, {} failed\n", self.histories, self.steps, self.failed.len());
        for fault in &faults.0 {
            writeln!(text, "{:>10} {fault}", self.injected.get(fault).copied().unwrap_or_default()).unwrap();
        }
        text
    }
}

/// Runs the histories of many seeds on `threads` threads, each with its own virtual time. If `until_one_fails`, stops
/// at the first seed that fails.
pub fn run_seeds(
    seeds: RangeInclusive<u64>,
    faults: &Faults,
    mutation: Option<&'static Mutation>,
    threads: usize,
    until_one_fails: bool,
) -> Summary {
    let next = AtomicU64::new(*seeds.start());
    let summary = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = until_one_fails && !summary.lock().unwrap().failed.is_empty();
                    if seed > *seeds.end() || is_over {
                        return;
                    }
                    let history = run(seed, faults, mutation);
                    let mut summary = summary.lock().unwrap();
                    summary.add(seed, history);
                    if summary.histories.is_multiple_of(PROGRESS) {
                        eprintln!("{} histories …", summary.histories);
                    }
                }
            });
        }
    });
    summary.into_inner().unwrap()
}
