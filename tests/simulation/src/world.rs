//! The state of one history: its time, its random generator, its services, the answers that its actors got, and its
//! first violation. Every module reads the world; each service and each actor changes only its own part.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Clock, ProductId, SaleDraft, Timestamp};
use test_asl::{Machine, TASKS};
use tokio::sync::Notify;

use crate::{
    actors::operator::Operated,
    chance::Chance,
    checks::{always, invariants, mutations::Mutation, promises::Promises},
    faults::{Fault, Faults, Injected},
    services::{
        bus::Bus,
        clients::Clients,
        environments::Environments,
        functions::FUNCTIONS,
        machine::{self, Executions},
        providers::Providers,
        queues::Queues,
        tables::Tables,
    },
    time::Time,
};

/// The highest probability of a fault.
const MOST_ODDS: f64 = 0.8;
/// How much more often a call to a payment provider suffers a fault than another request.
const CALLS_SUFFER: f64 = 3.0;

/// The size of a world. Small worlds meet every fault sooner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) shoppers: u64,
    pub(crate) units: u32,
    pub(crate) shards: u32,
    pub(crate) max_per_shopper: u32,
    pub(crate) hold_seconds: u32,
    pub(crate) max_hold_seconds: u32,
}

impl Size {
    fn of(chance: &Chance) -> Self {
        let max_per_shopper = if chance.happens(0.3) { 2 } else { 1 };
        let shards = if chance.happens(0.5) { 2 } else { 1 };
        let least = max_per_shopper * shards;
        let units = u32::try_from(chance.between(u64::from(least), u64::from(least.max(4)))).unwrap();
        let hold_seconds = *chance.pick(&[5, 10, 20, 60]);
        let usual = SaleDraft::default_max_hold_seconds(hold_seconds);
        let max_hold_seconds = *chance.pick(&[hold_seconds, hold_seconds * 2, usual, usual]);
        let shoppers = chance.between(2, 6);
        Self { shoppers, units, shards, max_per_shopper, hold_seconds, max_hold_seconds }
    }
}

/// The function whose requests suffer some faults much more often than those of others, so that its retries run out and
/// its runs overlap.
#[derive(Debug)]
struct Victim {
    function: &'static str,
    faults: Vec<Fault>,
    times: f64,
}

impl Victim {
    /// Chooses such a function in most histories: mostly a task of the saga, because the saga must finish its tasks.
    fn of(chance: &Chance) -> Option<Self> {
        let of: &[&'static str] = if chance.happens(0.7) { &TASKS } else { &FUNCTIONS };
        let faults = Fault::OF_REQUESTS.into_iter().filter(|_| chance.happens(0.4)).collect();
        let victim = Self { function: of[chance.index(of.len())], faults, times: *chance.pick(&[10.0, 30.0]) };
        chance.happens(0.6).then_some(victim)
    }
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name of the invariant, as in docs/simulation.md.
    pub invariant: &'static str,
    /// What was found, for the person who reads the failure.
    pub detail: String,
}

/// All state of one history.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) time: Time,
    pub(crate) size: Size,
    pub(crate) clients: Clients,
    pub(crate) tables: Tables,
    pub(crate) queues: Queues,
    pub(crate) bus: Bus,
    pub(crate) providers: Providers,
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
    /// The world of a seed at the start of the history.
    pub(crate) fn new(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>, recorded: bool) -> Arc<Self> {
        let chance = Chance::of(seed);
        // The SDK's jitter and tokens come from this thread's generator.
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
            bus: Bus::default(),
            providers: Providers::new(&time),
            machine: machine::payment_saga(mutation),
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

    /// Whether this fault strikes now. If so, counts it.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.strikes_with(fault, 1.0)
    }

    /// Whether this fault strikes a request of this function now.
    pub(crate) fn strikes_request_of(&self, function: &str, fault: Fault) -> bool {
        self.strikes_with(fault, self.times_of(function, fault))
    }

    /// Whether this fault strikes a call of this function to a payment provider now. A payment needs few of them, so they suffer
    /// more often.
    pub(crate) fn strikes_call_of(&self, function: &str, fault: Fault) -> bool {
        self.strikes_with(fault, CALLS_SUFFER * self.times_of(function, fault))
    }

    fn times_of(&self, function: &str, fault: Fault) -> f64 {
        let victim = self.victim.as_ref().filter(|victim| victim.function == function && victim.faults.contains(&fault));
        victim.map_or(1.0, |victim| victim.times)
    }

    fn strikes_with(&self, fault: Fault, times: f64) -> bool {
        let Some(odds) = self.odds.get(&fault) else { return false };
        let strikes = !self.is_quiet() && self.chance.happens((odds * times).min(MOST_ODDS));
        if strikes {
            *self.injected.lock().unwrap().entry(fault).or_default() += 1;
        }
        strikes
    }

    /// Whether no fault may strike in this history but a declined payment.
    pub(crate) fn is_orderly(&self) -> bool {
        self.odds.keys().all(|fault| *fault == Fault::Declined)
    }

    /// Whether faults have stopped.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet_since().is_some()
    }

    /// The time at which faults stopped.
    pub(crate) fn quiet_since(&self) -> Option<Timestamp> {
        *self.quiet_since.lock().unwrap()
    }

    /// Starts or stops the faults.
    pub(crate) fn set_quiet(&self, is_quiet: bool) {
        *self.quiet_since.lock().unwrap() = is_quiet.then(|| self.time.now());
        self.note(|| if is_quiet { "-- quiet --".into() } else { "-- troubles --".into() });
    }

    /// Adds a line to the history.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(history) = &self.history {
            let at = self.time.elapsed().as_millis();
            history.lock().unwrap().push(format!("{:>9}.{:03} {}", at / 1000, at % 1000, line()));
        }
    }

    /// Counts a step.
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Runs the checks after a write.
    pub(crate) fn check(&self) {
        if let Err(violation) = always::holds(self) {
            self.violate(violation);
        }
    }

    /// Ends the history, because an invariant does not hold.
    pub(crate) fn violate(&self, violation: Violation) {
        self.note(|| format!("VIOLATION {}: {}", violation.invariant, violation.detail));
        self.violation.lock().unwrap().get_or_insert(violation);
        self.violated.notify_one();
    }

    /// Waits until an invariant does not hold.
    pub(crate) async fn violated(&self) {
        self.violated.notified().await;
    }

    /// Waits for this time.
    pub(crate) async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Waits for a time between these two.
    pub(crate) async fn pause(&self, low_milliseconds: u64, high_milliseconds: u64) {
        self.sleep(self.chance.milliseconds(low_milliseconds, high_milliseconds)).await;
    }

    /// Runs a task concurrently with all others. A panic in it is a violation.
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

    /// The result of the history.
    pub(crate) fn end(&self) -> crate::History {
        crate::History {
            steps: self.steps.load(Ordering::Relaxed),
            injected: self.injected.lock().unwrap().clone(),
            violation: self.violation.lock().unwrap().clone(),
            lines: self.history.as_ref().map(|lines| lines.lock().unwrap().clone()).unwrap_or_default(),
        }
    }
}

/// Chooses some of the faults for a seed, often or rarely, because many faults hide what few show.
fn odds(chance: &Chance, faults: &Faults) -> BTreeMap<Fault, f64> {
    let (share, often) = (*chance.pick(&[0.3, 0.6, 1.0]), *chance.pick(&[0.3, 1.0, 1.0, 2.5]));
    let odds =
        faults.0.iter().filter(|_| chance.happens(share)).map(|fault| (*fault, (fault.probability() * often).min(MOST_ODDS)));
    odds.collect()
}
