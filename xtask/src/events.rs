//! `cargo xtask events`: the sample events, from the tables in `tests/support/cases`. See events/README.md.

use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::{functions, process, root};

/// Write the sample events from the tables of cases
#[derive(Args)]
pub(crate) struct Events;

impl Events {
    /// Writes files that are stale or missing, and removes files that no table has.
    pub(crate) fn run() -> Result<()> {
        let built = functions::build_targets(&["--bin", "sample-events"])?;
        let program = built.get("sample-events").context("nothing writes the sample events any more")?;
        process::run(Command::new(&program.executable).current_dir(root()), "sample-events")
    }
}
