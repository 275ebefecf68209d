//! `cargo xtask simulate`: runs the histories of many seeds, or repeats one that failed. It prints everything on
//! standard error, because standard output has the metrics of the functions.

use std::{ops::RangeInclusive, process::ExitCode, time::Instant};

use clap::Parser;
use simulation::{Fault, Faults, MUTATIONS, Mutation, Summary, run_recorded, run_seeds};

/// Number of histories in which every fault must have been injected.
const ENOUGH: u64 = 200;

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
    /// Tries every deliberate bug, each with the seeds until one notices it, and prints the table of docs/simulation.md
    #[arg(long, conflicts_with_all = ["mutation", "history"])]
    mutations: bool,
    /// Threads, each with histories of its own
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Prints the history of each seed whether or not it fails
    #[arg(long)]
    history: bool,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("write one seed, as 17, or the first and the last, as 1..2000".to_owned()),
    }
}

fn mutation(name: &str) -> Result<&'static Mutation, String> {
    let known = || MUTATIONS.iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
    MUTATIONS.iter().find(|it| it.name == name).ok_or_else(|| format!("known are {}", known()))
}

fn main() -> ExitCode {
    let Arguments { seeds: (first, last), faults, mutation, mutations, threads, history } = Arguments::parse();
    #[expect(clippy::disallowed_methods, reason = "how long it really takes")]
    let started = Instant::now();
    if history {
        let failed = (first..=last).filter(|seed| print(*seed, &faults, mutation)).count();
        eprintln!("\n{} histories, {failed} failed", last - first + 1);
        return if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if mutations {
        return try_mutations(first..=last, &faults, threads);
    }
    let summary = run_seeds(first..=last, &faults, mutation, threads, true);
    eprint!("{}", summary.figures(&faults));
    eprintln!("{:>9.1} s", started.elapsed().as_secs_f64());
    let Some((seed, violation)) = summary.failed.first() else {
        if let Some(mutation) = mutation {
            eprintln!("{} was not noticed", mutation.name);
        }
        return all_were_injected(&summary, &faults);
    };
    print(*seed, &faults, mutation);
    eprintln!("\nseed {seed}: {}: {}", violation.invariant, violation.detail);
    let with = mutation.map(|it| format!(" --mutation {}", it.name)).unwrap_or_default();
    eprintln!("again: cargo xtask simulate --seeds {seed}..{seed} --faults {faults}{with} --history");
    ExitCode::FAILURE
}

/// Whether every deliberate bug is noticed.
fn try_mutations(seeds: RangeInclusive<u64>, faults: &Faults, threads: usize) -> ExitCode {
    let mut missed = Vec::new();
    for mutation in &MUTATIONS {
        let faults = if mutation.is_hidden_by_faults { &Faults::orderly() } else { faults };
        let summary = run_seeds(seeds.clone(), faults, Some(mutation), threads, true);
        match summary.failed.first() {
            Some((seed, violation)) => {
                eprintln!("| `{}` | {} | {} | {seed} |", mutation.name, mutation.bug, violation.invariant);
            }
            None => missed.push(mutation.name),
        }
    }
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("not noticed within these seeds: {}", missed.join(", "));
    ExitCode::FAILURE
}

/// A fault that is never injected proves nothing. A few histories need not have all of them.
fn all_were_injected(summary: &Summary, faults: &Faults) -> ExitCode {
    let is_missing = |fault: &&Fault| summary.histories >= ENOUGH && !summary.injected.contains_key(fault);
    match faults.0.iter().find(is_missing) {
        Some(fault) => {
            eprintln!("{fault} was never injected");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

/// Prints a history. Returns whether it fails.
fn print(seed: u64, faults: &Faults, mutation: Option<&'static Mutation>) -> bool {
    eprintln!("history of seed {seed}:");
    let history = run_recorded(seed, faults, mutation);
    for line in history.lines {
        eprintln!("{line}");
    }
    history.violation.is_some()
}
