//! Metrics in CloudWatch's embedded metric format: a line of JSON on standard output that CloudWatch Logs turns into a
//! metric. It needs no API call and no agent.
//!
//! What happens in requests is summed, because a line for each would cost more than a refusal itself: an environment writes
//! its sums at most once a second. Lambda may reclaim an environment before its last sums are written, so a burst may lack
//! what its environments saw after their last write, less than a second each.
//!
//! Format: CloudWatch user guide, "Specification: Embedded metric format".

mod sums;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::Clock;

use self::sums::{Series, Sums, line};
use crate::{SystemClock, configuration::function_name};

static SUMS: Mutex<Sums> = Mutex::new(Sums::new());

/// Records a `value` in a CloudWatch unit (`Count`, `Milliseconds`, …) with the function's name as dimension, and writes it at
/// once. For what is rare: a run, a failure.
pub fn record(name: &'static str, value: f64, unit: &'static str) {
    let series = Series { name, unit, dimension: None };
    println!("{}", line(SystemClock.now().as_millisecond(), function_name(), series, &value.into()));
}

/// Counts one occurrence of `name` with this dimension and the function's name.
pub fn count(name: &'static str, dimension: (&'static str, &'static str)) {
    write(|sums, now| sums.count(Series { name, unit: "Count", dimension: Some(dimension) }, now));
}

/// Keeps how long something took, in milliseconds, so that CloudWatch has the percentiles of `name` by the function's name.
pub(crate) fn sample(name: &'static str, took: Duration) {
    let series = Series { name, unit: "Milliseconds", dimension: None };
    let hundredths = (took.as_secs_f64() * 100_000.0).round();
    write(|sums, now| sums.sample(series, hundredths / 100.0, now));
}

/// Writes the lines that are due.
fn write(add: impl FnOnce(&mut Sums, i64) -> Vec<(i64, Series, serde_json::Value)>) {
    let due = add(&mut SUMS.lock().unwrap_or_else(PoisonError::into_inner), SystemClock.now().as_millisecond());
    if !due.is_empty() {
        let lines: Vec<String> = due.iter().map(|(at, series, values)| line(*at, function_name(), *series, values)).collect();
        println!("{}", lines.join("\n"));
    }
}
