//! What the figures have to be: ratios against the yardsticks, calls of a winner, start and memory of the bootstrap.
//!
//! A ratio compares two cases of the same round on the same machine, so it says something on any machine. It fails above its limit,
//! and when it is worse than the committed one by more than [`TOLERANCE`].

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    cases::{Case, Program},
    measuring::{Sample, Subject},
};

/// How much larger than the committed ratio a measured one may be, as a factor. On two busy cores the median of five moved by up to
/// a few hundredths between runs.
pub const TOLERANCE: f64 = 1.10;
/// A winner's three writes, and a few reads: each environment reads the sale once a second.
const MOST_CALLS_OF_A_WINNER: f64 = 3.05;
/// From the start of the process to its first request for an event.
const MOST_START_MS: f64 = 12.0;
/// Megabytes of 10⁶ bytes.
const MOST_RESIDENT_MB: f64 = 18.0;

/// The function's processor time of one case, relative to that of another.
struct Ratio {
    name: &'static str,
    of: Case,
    to: Case,
    limit: Option<f64>,
}

const RATIOS: [Ratio; 3] = [
    Ratio { name: "sold-out / empty", of: Case::SoldOut, to: Case::Empty, limit: Some(1.3) },
    Ratio { name: "winner / writes", of: Case::Winner, to: Case::Writes, limit: Some(1.25) },
    Ratio { name: "repeat / writes", of: Case::Repeat, to: Case::Writes, limit: None },
];

/// A figure that is judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedFigure {
    /// What the figure is.
    pub name: String,
    /// In the unit that `name` gives.
    pub value: f64,
    /// It may not be larger.
    pub limit: Option<f64>,
    /// The committed value.
    pub baseline: Option<f64>,
}

/// The committed ratios by name.
pub type Baseline = BTreeMap<String, f64>;

/// Reads the committed ratios.
///
/// # Errors
/// When the file is not what [`accept`] writes.
pub fn baseline(file: &Path) -> Result<Baseline> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no ratios", file.display()))
}

/// Writes the ratios as the new baseline. A ratio that was not measured stays.
///
/// # Errors
/// When the file cannot be written.
pub fn accept(file: &Path, judged: &[JudgedFigure]) -> Result<()> {
    let mut kept = baseline(file).unwrap_or_default();
    let ratios = judged.iter().filter(|one| RATIOS.iter().any(|ratio| ratio.name == one.name));
    kept.extend(ratios.map(|one| (one.name.clone(), (one.value * 1e3).round() / 1e3)));
    fs::write(file, serde_json::to_string_pretty(&kept)? + "\n").with_context(|| format!("cannot write {}", file.display()))
}

/// All judged figures of the cases that were measured.
#[must_use]
pub fn judge(subjects: &[Subject], baseline: &Baseline) -> Vec<JudgedFigure> {
    let ours = |case| subjects.iter().find(|subject| !subject.is_peer && subject.case == case);
    let ratios = RATIOS.iter().filter_map(|ratio| {
        let value = ratio_of(&ours(ratio.of)?.samples, &ours(ratio.to)?.samples);
        let baseline = baseline.get(ratio.name).copied();
        Some(JudgedFigure { name: ratio.name.to_owned(), value, limit: ratio.limit, baseline })
    });
    let calls = ours(Case::Winner).map(|winner| {
        let value = median(winner.samples.iter().map(|sample| sample.calls.values().sum()));
        JudgedFigure { name: "calls to AWS of a winner".to_owned(), value, limit: Some(MOST_CALLS_OF_A_WINNER), baseline: None }
    });
    let product: Vec<&Subject> =
        subjects.iter().filter(|one| !one.is_peer && one.case.program().0 == Program::Shoppers).collect();
    let at_most = |name: &str, value, limit| JudgedFigure { name: name.to_owned(), value, limit: Some(limit), baseline: None };
    let starts = median(product.iter().flat_map(|subject| subject.starts_ms.iter().copied()));
    let resident = product.iter().map(|subject| subject.resident_mb).fold(0.0, f64::max);
    let bootstrap = [at_most("start, ms", starts, MOST_START_MS), at_most("resident at most, MB", resident, MOST_RESIDENT_MB)];
    ratios.chain(calls).chain(bootstrap.into_iter().filter(|_| !product.is_empty())).collect()
}

impl JudgedFigure {
    /// What is wrong with the figure.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let over = |bound: &f64| self.value > *bound;
        if let Some(limit) = self.limit.filter(over) {
            return Some(format!("above the limit {limit:.2}"));
        }
        let baseline = self.baseline?;
        over(&(baseline * TOLERANCE)).then(|| format!("worse than the committed {baseline:.2} by more than a tenth"))
    }
}

/// The median over the rounds of one case's processor time relative to another's in the same round.
fn ratio_of(of: &[Sample], to: &[Sample]) -> f64 {
    median(of.iter().zip(to).map(|(of, to)| of.function_us / to.function_us))
}

/// The median; zero of nothing.
#[must_use]
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let below = if sorted.len().is_multiple_of(2) { middle.saturating_sub(1) } else { middle };
    sorted.get(below).zip(sorted.get(middle)).map_or(0.0, |(a, b)| f64::midpoint(*a, *b))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn judged(value: f64, limit: Option<f64>, baseline: Option<f64>) -> Option<String> {
        JudgedFigure { name: "winner / writes".to_owned(), value, limit, baseline }.fault()
    }

    #[test]
    fn a_figure_fails_above_its_limit_or_a_tenth_above_the_baseline() {
        assert_eq!(judged(1.25, Some(1.25), Some(1.2)), None);
        assert_eq!(judged(1.26, Some(1.25), None).unwrap(), "above the limit 1.25");
        assert_eq!(judged(1.2, Some(1.25), Some(1.0)).unwrap(), "worse than the committed 1.00 by more than a tenth");
        assert_eq!(judged(9.0, None, None), None);
    }

    #[test]
    fn ratios_are_of_the_same_round_and_their_median_counts() {
        let of = |times: [f64; 3]| times.map(|function_us| Sample { function_us, ..Sample::default() });
        // The machine was twice as slow in the second round, and a disturbance hit one case in the third.
        assert!((ratio_of(&of([110.0, 220.0, 300.0]), &of([100.0, 200.0, 100.0])) - 1.1).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let found = [median([4.0, 1.0, 3.0, 2.0].into_iter()), median([5.0, 1.0, 2.0].into_iter()), median(std::iter::empty())];
        assert_eq!(found.map(|one| format!("{one:.1}")), ["2.5", "2.0", "0.0"]);
    }

    #[test]
    fn the_committed_baseline_has_the_ratios_that_are_measured_within_their_limits() {
        let committed = baseline(&Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.json")).unwrap();
        let names: BTreeSet<&str> = committed.keys().map(String::as_str).collect();
        assert_eq!(names, RATIOS.iter().map(|ratio| ratio.name).collect());
        for ratio in RATIOS {
            assert!(ratio.limit.is_none_or(|limit| committed[ratio.name] <= limit), "{}", ratio.name);
        }
    }

    #[test]
    fn a_new_baseline_keeps_the_ratios_that_were_not_measured() {
        let file = std::env::temp_dir().join(format!("bench-baseline-{}.json", std::process::id()));
        fs::write(&file, r#"{"repeat / writes": 0.7, "winner / writes": 2.0}"#).unwrap();
        let measured = |name: &str| JudgedFigure { name: name.to_owned(), value: 1.23456, limit: None, baseline: None };
        accept(&file, &[measured("winner / writes"), measured("start, ms")]).unwrap();
        let written = baseline(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(written, [("repeat / writes".to_owned(), 0.7), ("winner / writes".to_owned(), 1.235)].into());
    }
}
