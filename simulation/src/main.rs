//! `cargo xtask simulate`: runs the histories of many seeds, and one that failed again. Everything is printed on standard error:
//! standard output has the metrics of the functions.

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use simulation::{Faults, MUTATIONS, Mutation, run_recorded, run_seeds};

/// Simulates the whole product under faults
#[derive(Parser)]
struct Arguments {
    /// Seeds, as `1..2000` or one alone
    #[arg(long, default_value = "1..2000", value_parser = seeds)]
    seeds: (u64, u64),
    /// `all`, `none`, or names with commas between
    #[arg(long, default_value = "all")]
    faults: Faults,
    /// Switches a deliberate bug on, by name
    #[arg(long, value_parser = mutation)]
    mutation: Option<&'static Mutation>,
    /// Threads, each with histories of its own
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Prints the history of each seed whether or not it fails
    #[arg(long)]
    history: bool,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let number = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    Ok((number(first)?, number(last)?))
}

fn mutation(name: &str) -> Result<&'static Mutation, String> {
    let known = || MUTATIONS.iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
    MUTATIONS.iter().find(|it| it.name == name).ok_or_else(|| format!("known are {}", known()))
}

fn main() -> ExitCode {
    let Arguments { seeds: (first, last), faults, mutation, threads, history } = Arguments::parse();
    #[expect(clippy::disallowed_methods, reason = "how long it really takes")]
    let started = Instant::now();
    if history {
        for seed in first..=last {
            print(seed, &faults, mutation);
        }
        return ExitCode::SUCCESS;
    }
    let summary = run_seeds(first..=last, &faults, mutation, threads, true);
    eprint!("{}", summary.figures());
    eprintln!("{:>9.1} s", started.elapsed().as_secs_f64());
    let Some((seed, violation)) = summary.failed.first() else { return ExitCode::SUCCESS };
    print(*seed, &faults, mutation);
    eprintln!("\nseed {seed}: {}: {}", violation.invariant, violation.detail);
    let with = mutation.map(|it| format!(" --mutation {}", it.name)).unwrap_or_default();
    eprintln!("again: cargo xtask simulate --seeds {seed}..{seed} --faults {faults}{with} --history");
    ExitCode::FAILURE
}

fn print(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>) {
    eprintln!("history of seed {seed}:");
    for line in run_recorded(seed, faults, mutation).lines {
        eprintln!("{line}");
    }
}
