//! `cargo xtask simulate`: the whole product under faults, on virtual time. See docs/simulation.md.

use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Args;

use crate::{functions, process, root};

/// New seeds that `cargo xtask test` tries.
const FRESH_SEEDS: u64 = 2_000;

/// Simulate the whole product under faults
#[derive(Args)]
pub(crate) struct Simulate {
    /// Seeds, as `1..2000`, or one alone
    #[arg(long, default_value = "1..2000")]
    seeds: String,
    /// `all`, `none`, or names with commas between
    #[arg(long, default_value = "all")]
    faults: String,
    /// Switch a deliberate bug on, by name
    #[arg(long)]
    mutation: Option<String>,
    /// Try every deliberate bug, and print the table of docs/simulation.md
    #[arg(long)]
    mutations: bool,
    /// Print the history of each seed whether or not it fails
    #[arg(long)]
    history: bool,
}

impl Simulate {
    /// Seeds that no run has tried: two runs that begin at least a second apart share none.
    pub(crate) fn fresh() -> Result<Self> {
        let first = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs() * FRESH_SEEDS;
        let seeds = format!("{first}..{}", first + FRESH_SEEDS - 1);
        println!("seeds {seeds}");
        Ok(Self { seeds, faults: "all".into(), mutation: None, mutations: false, history: false })
    }

    /// Runs the histories of the seeds. Stops at the first that fails, and prints its history.
    pub(crate) fn run(self) -> Result<()> {
        let built = functions::build_targets(&["--bin", "simulation"])?;
        let simulation = built.get("simulation").context("the simulation is not a program any more")?;
        let mut command = Command::new(&simulation.executable);
        command.current_dir(root()).args(["--seeds", &self.seeds, "--faults", &self.faults]);
        if let Some(mutation) = &self.mutation {
            command.args(["--mutation", mutation]);
        }
        if self.mutations {
            command.arg("--mutations");
        }
        if self.history {
            command.arg("--history");
        }
        // Hides the functions' metrics. The simulation itself prints on standard error.
        process::run(command.stdout(Stdio::null()), "the simulation")
    }
}
