//! One history's state: its time, its chances, its services, what its actors were told, and its first violation. Every room reads
//! the world; each service and each actor changes only its own part of it.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Clock, ProductId, Timestamp};
use tokio::sync::Notify;

use crate::{
    actors::operator::Operated,
    chance::Chance,
    checks::{always, invariants, mutations::Mutation, promises::Promises},
    faults::{Fault, Faults, Injected},
    services::{
        clients::Clients,
        environments::Environments,
        functions::{FUNCTIONS, TASKS},
        machine::{Executions, Machine},
        queues::Queues,
        tables::Tables,
    },
    time::Time,
};

/// Nothing goes wrong more often than this.
const MOST_ODDS: f64 = 0.8;

/// How large a world is. Small ones meet every trouble sooner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) shoppers: u64,
    pub(crate) units: u32,
    pub(crate) shards: u32,
    pub(crate) max_per_shopper: u32,
    pub(crate) hold_seconds: u32,
}

impl Size {
    fn of(chance: &Chance) -> Self {
        let max_per_shopper = if chance.happens(0.3) { 2 } else { 1 };
        let shards = if chance.happens(0.5) { 2 } else { 1 };
        let least = max_per_shopper * shards;
        let units = u32::try_from(chance.between(u64::from(least), u64::from(least.max(4)))).unwrap();
        let hold_seconds = *chance.pick(&[5, 10, 20, 60]);
        Self { shoppers: chance.between(2, 6), units, shards, max_per_shopper, hold_seconds }
    }
}

/// A function whose requests have some troubles much more often than those of others: its retries run out, its runs overlap, and what
/// is to happen then happens.
#[derive(Debug)]
struct Victim {
    function: &'static str,
    faults: Vec<Fault>,
    times: f64,
}

impl Victim {
    /// In most histories, and mostly one of the saga's tasks: those are to be done to the end.
    fn of(chance: &Chance) -> Option<Self> {
        let of: &[&'static str] = if chance.happens(0.7) { &TASKS } else { &FUNCTIONS };
        let faults = Fault::OF_REQUESTS.into_iter().filter(|_| chance.happens(0.4)).collect();
        let victim = Self { function: of[chance.index(of.len())], faults, times: *chance.pick(&[10.0, 30.0]) };
        chance.happens(0.6).then_some(victim)
    }
}

/// What was promised and does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, as docs/simulation.md names it.
    pub invariant: &'static str,
    /// What is wrong.
    pub detail: String,
}

/// Everything in one history.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) time: Time,
    pub(crate) size: Size,
    pub(crate) clients: Clients,
    pub(crate) tables: Tables,
    pub(crate) queues: Queues,
    pub(crate) machine: Machine,
    pub(crate) executions: Executions,
    pub(crate) environments: Environments,
    pub(crate) promises: Mutex<Promises>,
    pub(crate) operated: Mutex<Operated>,
    pub(crate) mutation: Option<&'static Mutation>,
    odds: BTreeMap<Fault, f64>,
    victim: Option<Victim>,
    quiet_since: Mutex<Option<Timestamp>>,
    injected: Mutex<Injected>,
    steps: AtomicU64,
    history: Option<Mutex<Vec<String>>>,
    violation: Mutex<Option<Violation>>,
    violated: Notify,
}

impl World {
    /// The world of a seed, before anything has happened in it.
    pub(crate) fn new(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>, recorded: bool) -> Arc<Self> {
        let chance = Chance::of(seed);
        // The SDK's jitter and its tokens come from this thread's generator.
        fastrand::seed(seed);
        let time = Time::begin();
        let now = time.now();
        let size = Size::of(&chance);
        let odds = odds(&chance, faults);
        let victim = Victim::of(&chance);
        Arc::new_cyclic(|world| Self {
            clients: Clients::on(world),
            tables: Tables::empty(&time),
            queues: Queues::default(),
            machine: Machine::of_the_product(mutation),
            executions: Executions::default(),
            environments: Environments::default(),
            promises: Mutex::default(),
            operated: Mutex::default(),
            chance,
            time,
            size,
            mutation,
            odds,
            victim,
            quiet_since: Mutex::new(Some(now)),
            injected: Mutex::default(),
            steps: AtomicU64::new(0),
            history: recorded.then(Mutex::default),
            violation: Mutex::default(),
            violated: Notify::new(),
        })
    }

    /// What is on sale.
    pub(crate) fn product() -> ProductId {
        "demo".parse().unwrap()
    }

    /// Whether this fault is injected here and now; then it is counted.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.strikes_with(fault, 1.0)
    }

    /// Whether this fault is injected into a request of this function.
    pub(crate) fn strikes_request_of(&self, function: &str, fault: Fault) -> bool {
        let victim = self.victim.as_ref().filter(|victim| victim.function == function && victim.faults.contains(&fault));
        self.strikes_with(fault, victim.map_or(1.0, |victim| victim.times))
    }

    fn strikes_with(&self, fault: Fault, times: f64) -> bool {
        let Some(odds) = self.odds.get(&fault) else { return false };
        let strikes = !self.is_quiet() && self.chance.happens((odds * times).min(MOST_ODDS));
        if strikes {
            *self.injected.lock().unwrap().entry(fault).or_default() += 1;
        }
        strikes
    }

    /// Whether nothing goes wrong now.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet_since().is_some()
    }

    /// Since when nothing goes wrong.
    pub(crate) fn quiet_since(&self) -> Option<Timestamp> {
        *self.quiet_since.lock().unwrap()
    }

    /// Begins or ends the time of troubles.
    pub(crate) fn set_quiet(&self, is_quiet: bool) {
        *self.quiet_since.lock().unwrap() = is_quiet.then(|| self.time.now());
        self.note(|| if is_quiet { "-- quiet --".into() } else { "-- troubles --".into() });
    }

    /// Writes a line of history.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(history) = &self.history {
            let at = self.time.elapsed().as_millis();
            history.lock().unwrap().push(format!("{:>9}.{:03} {}", at / 1000, at % 1000, line()));
        }
    }

    /// Something has happened.
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Something was written: what must always hold is looked at.
    pub(crate) fn check(&self) {
        if let Err(violation) = always::holds(self) {
            self.violate(violation);
        }
    }

    /// Ends the history: something does not hold.
    pub(crate) fn violate(&self, violation: Violation) {
        self.note(|| format!("VIOLATION {}: {}", violation.invariant, violation.detail));
        self.violation.lock().unwrap().get_or_insert(violation);
        self.violated.notify_one();
    }

    /// Waits until something does not hold.
    pub(crate) async fn violated(&self) {
        self.violated.notified().await;
    }

    /// Lets time pass.
    pub(crate) async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets some time pass.
    pub(crate) async fn pause(&self, low_milliseconds: u64, high_milliseconds: u64) {
        self.sleep(self.chance.milliseconds(low_milliseconds, high_milliseconds)).await;
    }

    /// Runs something beside everything else. A panic in it is a violation.
    pub(crate) fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        what: impl Future<Output = T> + Send + 'static,
    ) -> tokio::sync::oneshot::Receiver<T> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let running = tokio::spawn(what);
        let world = Arc::clone(self);
        tokio::spawn(async move {
            match running.await {
                Ok(result) => _ = sender.send(result),
                Err(error) => {
                    world.violate(Violation { invariant: invariants::NO_PANIC, detail: error.to_string() });
                }
            }
        });
        receiver
    }

    /// What the history has come to.
    pub(crate) fn end(&self) -> crate::History {
        crate::History {
            steps: self.steps.load(Ordering::Relaxed),
            injected: self.injected.lock().unwrap().clone(),
            violation: self.violation.lock().unwrap().clone(),
            lines: self.history.as_ref().map(|lines| lines.lock().unwrap().clone()).unwrap_or_default(),
        }
    }
}

/// Each seed has some of the faults only, some seeds often and some rarely: what many faults hide, few show.
fn odds(chance: &Chance, faults: &Faults) -> BTreeMap<Fault, f64> {
    let (share, often) = (*chance.pick(&[0.3, 0.6, 1.0]), *chance.pick(&[0.3, 1.0, 1.0, 2.5]));
    let odds =
        faults.0.iter().filter(|_| chance.happens(share)).map(|fault| (*fault, (fault.probability() * often).min(MOST_ODDS)));
    odds.collect()
}
