//! `cargo xtask simulate`: the whole product under faults, on virtual time. See docs/simulation.md.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::root;

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
    /// Runs the histories of the seeds; the first that fails ends it, and its history is printed.
    pub(crate) fn run(self) -> Result<()> {
        let mut command = Command::new("cargo");
        command.current_dir(root()).args(["run", "--quiet", "--profile", "simulation", "--package", "simulation", "--"]);
        command.args(["--seeds", &self.seeds, "--faults", &self.faults]);
        if let Some(mutation) = &self.mutation {
            command.args(["--mutation", mutation]);
        }
        if self.mutations {
            command.arg("--mutations");
        }
        if self.history {
            command.arg("--history");
        }
        // The functions' metrics; the simulation itself prints on standard error.
        let status = command.stdout(Stdio::null()).status().context("cargo cannot be started")?;
        if !status.success() {
            bail!("the simulation failed ({status})");
        }
        Ok(())
    }
}
