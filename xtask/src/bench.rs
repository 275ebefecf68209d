//! `cargo xtask bench`: release bootstraps under load. `bench/` measures; this builds what it needs.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use crate::{functions, process, root};

const POLL: Duration = Duration::from_millis(50);
/// The results, and the logs of the environments.
const RESULTS: &str = "target/bench";
const BASELINE: &str = "bench/baseline.json";

/// Measure requests per second, latency and processor time of release bootstraps
///
/// Runs a small Lambda host in one process with an emulated DynamoDB, and real release bootstraps beside it. Each case is
/// measured five times, and the table shows the medians. Fails if `reserve` costs more than its limits or clearly more than the
/// committed baseline. The machine should be idle.
#[derive(Args)]
pub(crate) struct Bench {
    /// Seconds of each measurement; each case has ten of them, and a warm-up
    #[arg(long)]
    seconds: Option<f64>,
    /// Execution environments of each function
    #[arg(long)]
    environments: Option<usize>,
    /// Connections of the closed loop
    #[arg(long)]
    connections: Option<usize>,
    /// Requests per second of the open loop
    #[arg(long)]
    rate: Option<f64>,
    /// Send the requests to reserve also to this server, such as `http://127.0.0.1:5000`
    #[arg(long)]
    peer: Option<String>,
    /// Measure only this case: empty, sold-out, pair, winner or repeat; may be repeated
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Write the measured ratios to bench/baseline.json
    #[arg(long)]
    accept: bool,
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        process::catch_interruption()?;
        // The yardsticks need no feature of a dependency that the product does not need, so they are built with it, and their
        // dependencies are the same. The bench needs others.
        let bootstraps = functions::build_released(&["shoppers", "yardsticks"])?;
        let mut command = Command::new(functions::build_released(&["bench"])?.join("bench"));
        command.current_dir(root()).arg("--shoppers").arg(bootstraps.join("shoppers"));
        command.arg("--yardsticks").arg(bootstraps.join("yardsticks"));
        command.arg("--results").arg(root().join(RESULTS)).arg("--baseline").arg(root().join(BASELINE));
        let numbers = [
            ("--seconds", self.seconds.map(|value| value.to_string())),
            ("--environments", self.environments.map(|value| value.to_string())),
            ("--connections", self.connections.map(|value| value.to_string())),
            ("--rate", self.rate.map(|value| value.to_string())),
            ("--peer", self.peer),
        ];
        for (name, value) in numbers {
            command.args(value.map(|value| [name.to_owned(), value]).into_iter().flatten());
        }
        command.args(self.cases.iter().flat_map(|case| ["--case", case]));
        if self.accept {
            command.arg("--accept");
        }
        let mut child = command.spawn().context("cannot start the bench")?;
        wait(&mut child)
    }
}

/// Waits for the bench. When the command is interrupted, asks the bench to end: a killed bench could not end its environments.
fn wait(child: &mut Child) -> Result<()> {
    let mut was_asked = false;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("the bench failed ({status})"),
            None => {}
        }
        if process::interrupted() && !was_asked {
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM); // it may have ended by itself
            }
            was_asked = true;
        }
        sleep(POLL);
    }
}
