//! Measures every case in rounds, so that what disturbs the machine for a while disturbs all cases and not their ratios.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    accounts,
    cases::{Case, Program, WINNERS},
    host::{Bootstrap, Host},
    load::{Answers, Load, Target, Until},
    options::{Options, Places},
    stage::{Calls, Stage},
};

/// Measurements of each case.
pub const ROUNDS: usize = 5;
/// The warm-up before the first round, relative to a measurement.
const WARM_UP: f64 = 0.5;
/// Connections of the open loop. A request is late only when so many others are unanswered.
const OPEN_CONNECTIONS: usize = 64;

/// One case in one round.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sample {
    /// Answered requests of the closed loop.
    pub requests: u64,
    /// Requests per second of the closed loop.
    pub requests_per_second: f64,
    /// Processor time of the function's environments per request of the closed loop, in microseconds.
    pub function_us: f64,
    /// Processor time of the bench itself per request: load, host, tables.
    pub bench_us: f64,
    /// Processor time of all other processes on the machine per request: a peer's, or noise.
    pub others_us: f64,
    /// Calls to AWS per request of the closed loop, by operation.
    pub calls: BTreeMap<String, f64>,
    /// Answers of both loops by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Latencies of the open loop from the time at which a request was due, in milliseconds.
    pub open_ms: Percentiles,
    /// Latencies of the closed loop from the time at which a request was sent, in milliseconds.
    pub closed_ms: Percentiles,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// The maximum.
    pub max: f64,
}

impl Percentiles {
    fn of(answers: &Answers) -> Self {
        let ms = |share| answers.percentile(share).as_secs_f64() * 1e3;
        Self { p50: ms(0.5), p90: ms(0.9), p99: ms(0.99), p999: ms(0.999), max: ms(1.0) }
    }
}

/// A case, or a peer's, with what measures it.
pub struct Subject {
    /// The case.
    pub case: Case,
    /// Another server answers.
    pub is_peer: bool,
    /// The measurements.
    pub samples: Vec<Sample>,
    /// Milliseconds from the start of each environment to its first request for an event.
    pub starts_ms: Vec<f64>,
    /// The most memory that an environment has had resident after the last round, in megabytes (10⁶ bytes).
    pub resident_mb: f64,
    host: Option<Host>,
    load: Load,
}

/// Measures the chosen cases, and the peer's if there is one.
///
/// # Errors
/// When a case does not run, an answer is not the expected one, or the run is interrupted.
pub async fn measure(options: &Options, places: &Places, interrupted: &Arc<AtomicBool>) -> Result<Vec<Subject>> {
    let stage = Stage::open(crate::stage::SHARDS).await?;
    let mut subjects = Vec::new();
    for case in options.chosen() {
        subjects.push(Subject::of_ours(case, options, places, &stage, interrupted).await?);
    }
    if let Some(peer) = &options.peer {
        for case in options.chosen().into_iter().filter(|case| case.is_for_peers()) {
            let load = Load { target: Target::new(peer)?, traffic: case.traffic(), interrupted: Arc::clone(interrupted) };
            subjects.push(Subject::new(case, None, load));
        }
    }
    for subject in &mut subjects {
        subject.warm_up(options).await?;
    }
    for round in 1..=ROUNDS {
        eprint!("round {round} of {ROUNDS}:");
        for subject in &mut subjects {
            eprint!(" {}{}", if subject.is_peer { "peer-" } else { "" }, subject.case.name());
            let sample = subject.measure(options, &stage).await?;
            subject.samples.push(sample);
        }
        eprintln!();
    }
    for subject in &mut subjects {
        subject.note_memory()?;
    }
    Ok(subjects)
}

impl Subject {
    fn new(case: Case, host: Option<Host>, load: Load) -> Self {
        let starts_ms = host.iter().flat_map(Host::starts).map(|start| start.as_secs_f64() * 1e3).collect();
        Self { case, is_peer: host.is_none(), samples: Vec::new(), starts_ms, resident_mb: 0.0, host, load }
    }

    async fn of_ours(
        case: Case,
        options: &Options,
        places: &Places,
        stage: &Stage,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self> {
        let (program, handler) = case.program();
        let program = match program {
            Program::Yardsticks => places.yardsticks.clone(),
            Program::Shoppers => places.shoppers.clone(),
        };
        let logs = logs(&places.results, case)?;
        let host = Host::start(&Bootstrap { program, handler }, &stage.variables(), options.environments, &logs).await?;
        let load = Load { target: Target::new(&host.url())?, traffic: case.traffic(), interrupted: Arc::clone(interrupted) };
        Ok(Self::new(case, Some(host), load))
    }

    /// Before the first round: every environment opens its connections and learns what it remembers.
    async fn warm_up(&mut self, options: &Options) -> Result<()> {
        // The first requests one after the other: the winners who ask again have to have won.
        self.load.closed(1, Until::Requests(WINNERS)).await?;
        let lasts = Duration::from_secs_f64(options.seconds * WARM_UP);
        let answers = self.load.closed(options.connections, Until::Elapsed(lasts)).await?;
        self.check(&answers)
    }

    async fn measure(&mut self, options: &Options, stage: &Stage) -> Result<Sample> {
        let lasts = Duration::from_secs_f64(options.seconds);
        let processes = self.host.as_ref().map(Host::processes).unwrap_or_default();
        let (before, calls_before) = (Readings::take(&processes)?, stage.calls());
        let closed = self.load.closed(options.connections, Until::Elapsed(lasts)).await?;
        let (after, calls_after) = (Readings::take(&processes)?, stage.calls());
        self.check(&closed)?;
        let open = self.load.open(OPEN_CONNECTIONS, options.rate, lasts).await?;
        self.check(&open)?;
        let requests = per_request(closed.count());
        let us = |time: Duration| time.as_secs_f64() * 1e6 * requests;
        let spent = after.since(&before);
        let mut statuses = closed.statuses.clone();
        for (status, count) in &open.statuses {
            *statuses.entry(*status).or_default() += count;
        }
        Ok(Sample {
            requests: closed.count(),
            requests_per_second: 1.0 / (closed.elapsed.as_secs_f64() * requests),
            function_us: us(spent.function),
            bench_us: us(spent.bench),
            others_us: us(spent.machine.saturating_sub(spent.function + spent.bench)),
            calls: calls_per_request(&calls_before, &calls_after, requests),
            statuses,
            open_ms: Percentiles::of(&open),
            closed_ms: Percentiles::of(&closed),
        })
    }

    /// Our own functions have to give the expected answer to every request. A peer may answer as it likes, but has to answer.
    fn check(&self, answers: &Answers) -> Result<()> {
        if self.load.interrupted.load(std::sync::atomic::Ordering::Relaxed) {
            bail!("interrupted");
        }
        if let Some(failure) = &answers.failure {
            bail!("{}: {} requests have no answer: {failure}", self.case, answers.failures);
        }
        let expected = self.case.status();
        if answers.count() == 0 || (!self.is_peer && answers.statuses.keys().any(|status| *status != expected)) {
            bail!("{}: every answer should be {expected}, but there are {:?}", self.case, answers.statuses);
        }
        Ok(())
    }

    fn note_memory(&mut self) -> Result<()> {
        for process in self.host.as_ref().map(Host::processes).unwrap_or_default() {
            #[expect(clippy::cast_precision_loss, reason = "a memory size is exact in a double")]
            let megabytes = accounts::peak_resident(process)? as f64 / 1e6;
            self.resident_mb = self.resident_mb.max(megabytes);
        }
        Ok(())
    }
}

/// The folder for the logs of a case.
fn logs(results: &Path, case: Case) -> Result<std::path::PathBuf> {
    let logs = results.join("logs").join(case.name());
    fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    Ok(logs)
}

/// Processor time, now or since another reading.
struct Readings {
    function: Duration,
    bench: Duration,
    machine: Duration,
}

impl Readings {
    fn take(processes: &[u32]) -> Result<Self> {
        let function = accounts::processor_times(processes)?;
        Ok(Self { function, bench: accounts::processor_time(std::process::id())?, machine: accounts::machine_time()? })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            function: self.function.saturating_sub(before.function),
            bench: self.bench.saturating_sub(before.bench),
            machine: self.machine.saturating_sub(before.machine),
        }
    }
}

fn calls_per_request(before: &Calls, after: &Calls, requests: f64) -> BTreeMap<String, f64> {
    let made = after.iter().map(|(operation, count)| (operation, count - before.get(operation).copied().unwrap_or_default()));
    made.filter(|(_, count)| *count > 0).map(|(operation, count)| (operation.clone(), count_of(count) * requests)).collect()
}

/// The factor that turns a sum into an average.
fn per_request(requests: u64) -> f64 {
    1.0 / count_of(requests.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests is exact in a double")]
fn count_of(requests: u64) -> f64 {
    requests as f64
}
