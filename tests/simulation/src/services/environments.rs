//! Execution environments: each runs one real function, one invocation at a time, with its own clock and memory. They
//! start cold, are reused, and die.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Timestamp;
use kit::{
    Failure, Function, Request, Response,
    workers::{Diagnostic, SqsBatchResponse, SqsEvent, StreamBatchResponse, StreamEvent},
};
use reconcile::{Findings, Reconcile};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{faults::Fault, services::functions, time::SkewedClock, world::World};

/// How far the clocks of environments may be off, ms.
const MOST_SKEW: i64 = 2_000;

tokio::task_local! {
    static CURRENT: Arc<Invocation>;
}

/// The invocation that this task runs, if any.
pub(crate) fn current() -> Option<Arc<Invocation>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// One run of a function.
pub(crate) struct Invocation {
    pub(crate) function: &'static str,
    environment: u64,
    /// Unique in a history.
    pub(crate) number: u64,
    death: Notify,
}

impl Invocation {
    /// The caller of requests that the simulation itself makes.
    pub(crate) fn of_the_simulation() -> Self {
        Self { function: "simulation", environment: 0, number: 0, death: Notify::new() }
    }

    /// Ends the environment at once.
    pub(crate) fn die(&self) {
        self.death.notify_one();
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.function, self.environment)
    }
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its process died.
    Died,
    /// It exceeded its time-out.
    TimedOut,
}

/// The code that an environment runs.
pub(crate) enum Code {
    /// A function, by its trigger.
    Function(Function),
    /// `reconcile`, whose findings the simulation needs.
    Reconcile(Arc<Reconcile>),
}

struct Environment {
    number: u64,
    clock: SkewedClock,
    code: Code,
}

/// The idle environments, by function.
#[derive(Default)]
pub(crate) struct Environments {
    idle: Mutex<BTreeMap<&'static str, Vec<Environment>>>,
    started: Mutex<u64>,
    invoked: AtomicU64,
}

macro_rules! invoke_as {
    ($name:ident, $code:ident, $input:ty, $output:ty) => {
        /// Invokes a function with this trigger.
        pub(crate) async fn $name(world: &Arc<World>, function: &'static str, input: $input) -> Result<$output, Cut> {
            let environment = world.environments.take(world, function);
            let Code::Function(Function::$code(handler)) = &environment.code else {
                panic!("{function} is not invoked like this")
            };
            let answer = run(world, function, environment.number, handler(input)).await;
            if answer.is_ok() {
                world.environments.keep(function, environment);
            }
            answer
        }
    };
}
invoke_as!(http, Http, Request, Response);
invoke_as!(queue, Queue, SqsEvent, SqsBatchResponse);
invoke_as!(stream, Stream, StreamEvent, StreamBatchResponse);
invoke_as!(task, Task, Value, Result<Value, Diagnostic>);

/// Invokes `reconcile`. Returns its findings.
pub(crate) async fn reconcile(world: &Arc<World>, until: Timestamp) -> Result<Result<Findings, Failure>, Cut> {
    let environment = world.environments.take(world, "reconcile");
    let Code::Reconcile(reconcile) = &environment.code else { panic!("this is not reconcile") };
    let reconcile = Arc::clone(reconcile);
    let answer = run(world, "reconcile", environment.number, async move { reconcile.run(until).await }).await;
    if answer.is_ok() {
        world.environments.keep("reconcile", environment);
    }
    answer
}

impl Environments {
    fn take(&self, world: &Arc<World>, function: &'static str) -> Environment {
        let mut idle = self.idle.lock().unwrap();
        let idle = idle.entry(function).or_default();
        if idle.is_empty() || world.strikes(Fault::Cold) {
            let number = {
                let mut started = self.started.lock().unwrap();
                *started += 1;
                *started
            };
            let clock = SkewedClock::ahead(&world.time, skew(world, Fault::ClockSkew).unwrap_or(0));
            let code = functions::deploy(world, function, &clock);
            return Environment { number, clock, code };
        }
        let environment = idle.swap_remove(world.chance.index(idle.len()));
        if let Some(skew) = skew(world, Fault::ClockJump) {
            environment.clock.jump_to(skew);
        }
        environment
    }

    fn keep(&self, function: &'static str, environment: Environment) {
        self.idle.lock().unwrap().entry(function).or_default().push(environment);
    }

    /// Ends all idle environments, and with them their memory.
    pub(crate) fn recycle(&self) {
        self.idle.lock().unwrap().clear();
    }
}

fn skew(world: &World, fault: Fault) -> Option<i64> {
    world.strikes(fault).then(|| i64::try_from(world.chance.below(2 * 2_000 + 1)).unwrap() - MOST_SKEW)
}

/// Runs a handler until it answers, dies or times out.
async fn run<O>(
    world: &Arc<World>,
    function: &'static str,
    environment: u64,
    handler: impl Future<Output = O>,
) -> Result<O, Cut> {
    let number = world.environments.invoked.fetch_add(1, Ordering::Relaxed) + 1;
    let invocation = Arc::new(Invocation { function, environment, number, death: Notify::new() });
    let handler = CURRENT.scope(Arc::clone(&invocation), handler);
    let longest = Duration::from_secs(functions::timeout_seconds(function));
    tokio::select! {
        biased;
        () = invocation.death.notified() => Err(Cut::Died),
        answer = handler => Ok(answer),
        () = world.sleep(longest) => {
            world.note(|| format!("{invocation} timed out"));
            Err(Cut::TimedOut)
        }
    }
}
