//! The options of `cargo xtask bench`, which it passes on to this program.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use crate::cases::Case;

/// What to measure, and how.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds of each measurement; each case has ten of them, and a warm-up
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// Execution environments of each function
    #[arg(long, default_value_t = 4)]
    pub environments: usize,
    /// Connections of the closed loop
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// Requests per second of the open loop
    #[arg(long, default_value_t = 300.0)]
    pub rate: f64,
    /// Send the requests to reserve also to this server, such as `http://127.0.0.1:5000`
    #[arg(long)]
    pub peer: Option<String>,
    /// Measure only this case; may be repeated
    #[arg(long = "case", value_enum)]
    pub cases: Vec<Case>,
    /// Write the ratios to bench/baseline.json instead of comparing them with it
    #[arg(long)]
    pub accept: bool,
}

/// The programs and folders that `cargo xtask bench` has prepared.
#[derive(Debug, Clone, Args)]
pub struct Places {
    /// The bootstrap of the yardsticks
    #[arg(long)]
    pub yardsticks: PathBuf,
    /// The product's bootstrap
    #[arg(long)]
    pub shoppers: PathBuf,
    /// The folder for the results and the environments' logs
    #[arg(long)]
    pub results: PathBuf,
    /// The committed ratios
    #[arg(long)]
    pub baseline: PathBuf,
}

impl Options {
    /// Refuses numbers with which nothing could be measured.
    ///
    /// # Errors
    /// Says which numbers.
    pub fn check(&self) -> Result<()> {
        let (counts, times) = ([self.environments, self.connections], [self.seconds, self.rate]);
        ensure!(counts.iter().all(|count| *count > 0), "there has to be an environment and a connection");
        ensure!(times.iter().all(|time| time.is_finite() && *time > 0.0), "--seconds and --rate have to be above zero");
        Ok(())
    }

    /// The cases to measure.
    #[must_use]
    pub fn chosen(&self) -> Vec<Case> {
        Case::ALL.into_iter().filter(|case| self.cases.is_empty() || self.cases.contains(case)).collect()
    }
}
