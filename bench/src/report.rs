//! The results: a table in Markdown, the judged figures, and everything as JSON.

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    accounts::Machine,
    judgement::{JudgedFigure, TOLERANCE, median},
    measuring::{ROUNDS, Sample, Subject},
    options::Options,
};

/// The table, with the median of the rounds in each cell.
#[must_use]
pub fn table(subjects: &[Subject], rate: f64) -> String {
    let mut text = format!(
        "| case | requests/s | p50 ms at {rate:.0}/s | p99 ms | p99.9 ms | CPU µs of the function | CPU µs beside it | calls to AWS |\n\
         |---|---:|---:|---:|---:|---:|---:|---|\n"
    );
    for subject in subjects {
        let of = |figure: fn(&Sample) -> f64| median(subject.samples.iter().map(figure));
        let name = if subject.is_peer { format!("peer: {}", subject.case) } else { subject.case.to_string() };
        let function = if subject.is_peer { "–".to_owned() } else { format!("{:.0}", of(|sample| sample.function_us)) };
        let beside = of(|sample| sample.bench_us + sample.others_us);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {:.2} | {:.2} | {:.2} | {function} | {beside:.0} | {} |",
            of(|sample| sample.requests_per_second),
            of(|sample| sample.open_ms.p50),
            of(|sample| sample.open_ms.p99),
            of(|sample| sample.open_ms.p999),
            if subject.is_peer { "–".to_owned() } else { calls(&subject.samples) },
        );
    }
    text
}

/// The calls to AWS per request, by operation, without those that are rare.
fn calls(samples: &[Sample]) -> String {
    let mut operations: Vec<&String> = samples.iter().flat_map(|sample| sample.calls.keys()).collect();
    operations.sort();
    operations.dedup();
    let of = |operation: &String| median(samples.iter().map(|sample| sample.calls.get(operation).copied().unwrap_or(0.0)));
    let often = operations.into_iter().map(|operation| (operation, of(operation))).filter(|(_, count)| *count >= 0.005);
    let shown: Vec<String> = often.map(|(operation, count)| format!("{count:.2} {operation}")).collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// The judged figures, one a line.
#[must_use]
pub fn judgement(judged: &[JudgedFigure]) -> String {
    let mut text = String::new();
    for one in judged {
        let limit = one.limit.map_or_else(String::new, |limit| format!(", limit {limit:.2}"));
        let baseline = one.baseline.map_or_else(String::new, |baseline| format!(", committed {baseline:.2}"));
        let fault = one.fault().map_or_else(String::new, |fault| format!("  ← {fault}"));
        let _ = writeln!(text, "{:26} {:6.2}{limit}{baseline}{fault}", one.name, one.value);
    }
    text
}

/// The machine and the options, for the head of the table.
#[must_use]
pub fn head(machine: &Machine, options: &Options) -> String {
    format!(
        "{} x {}, {}; {} environments, {} connections, {} rounds of {} s",
        machine.processors, machine.processor, machine.system, options.environments, options.connections, ROUNDS, options.seconds
    )
}

/// How busy other processes kept the machine while our functions were measured: the mean over the measurements, in percent.
#[must_use]
pub fn disturbance(machine: &Machine, subjects: &[Subject]) -> String {
    let samples = subjects.iter().filter(|subject| !subject.is_peer).flat_map(|subject| &subject.samples);
    let shares: Vec<f64> = samples.map(|sample| sample.others_us * sample.requests_per_second / 1e4).collect();
    #[expect(clippy::cast_precision_loss, reason = "both are small numbers")]
    let mean = shares.iter().sum::<f64>() / (shares.len().max(1) * machine.processors.max(1)) as f64;
    format!("other processes kept {mean:.1} % of the processors busy meanwhile")
}

/// Writes everything as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, machine: &Machine, options: &Options, subjects: &[Subject], judged: &[JudgedFigure]) -> Result<()> {
    let cases: Vec<_> = subjects
        .iter()
        .map(|subject| {
            json!({
                "case": subject.case.name(),
                "peer": if subject.is_peer { options.peer.as_deref() } else { None },
                "starts_ms": subject.starts_ms,
                "resident_mb": subject.resident_mb,
                "rounds": subject.samples,
            })
        })
        .collect();
    let all = json!({
        "machine": machine,
        "seconds": options.seconds,
        "environments": options.environments,
        "connections": options.connections,
        "rate": options.rate,
        "cases": cases,
        "judged": judged,
        "tolerance": TOLERANCE,
    });
    fs::write(file, serde_json::to_string_pretty(&all)? + "\n").with_context(|| format!("cannot write {}", file.display()))
}
