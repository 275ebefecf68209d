//! What an environment has counted since its last write, and the form of a line.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const NAMESPACE: &str = "FlashSale";

/// Milliseconds between two writes, at least.
const PERIOD: i64 = 1_000;

/// Values that a member of a line may hold, by the format's specification.
const MOST_VALUES: usize = 100;

/// A metric, its unit, and its dimension beside the function's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) dimension: Option<(&'static str, &'static str)>,
}

/// Counts and samples that are not written yet. Times are epoch milliseconds.
#[derive(Debug)]
pub(super) struct Sums {
    written_at: Option<i64>,
    /// When the first of them came.
    begun_at: i64,
    counts: BTreeMap<Series, u64>,
    samples: BTreeMap<Series, Vec<f64>>,
}

/// The metrics of one write, each with its time and its value or values.
type Due = Vec<(i64, Series, Value)>;

impl Sums {
    pub(super) const fn new() -> Self {
        Self { written_at: None, begun_at: 0, counts: BTreeMap::new(), samples: BTreeMap::new() }
    }

    /// Adds one occurrence. Returns what is to be written now.
    pub(super) fn count(&mut self, series: Series, now: i64) -> Due {
        self.add(now, |sums| *sums.counts.entry(series).or_default() += 1)
    }

    /// Adds a value. Returns what is to be written now.
    pub(super) fn sample(&mut self, series: Series, value: f64, now: i64) -> Due {
        self.add(now, |sums| sums.samples.entry(series).or_default().push(value))
    }

    /// A first occurrence is written at once, and the next ones when the period is over. What an environment has kept through a
    /// pause is written with the time at which it came.
    fn add(&mut self, now: i64, add: impl FnOnce(&mut Self)) -> Due {
        // The wall clock may be set back.
        let is_due = self.written_at.is_none_or(|at| !(at..at + PERIOD).contains(&now));
        let mut due = if is_due { self.take(self.begun_at) } else { Due::new() };
        if self.counts.is_empty() && self.samples.is_empty() {
            self.begun_at = now;
        }
        add(self);
        if is_due {
            due.extend(self.take(now));
            self.written_at = Some(now);
        }
        due
    }

    fn take(&mut self, at: i64) -> Due {
        let counts = std::mem::take(&mut self.counts).into_iter().map(|(series, count)| (at, series, count.into()));
        let mut due: Due = counts.collect();
        for (series, values) in std::mem::take(&mut self.samples) {
            due.extend(values.chunks(MOST_VALUES).map(|values| (at, series, values.into())));
        }
        due
    }
}

/// A line of the format: `values` is a number, or a list of at most [`MOST_VALUES`] numbers.
pub(super) fn line(at: i64, function: &str, series: Series, values: &Value) -> String {
    let names: Vec<&str> = std::iter::once("function").chain(series.dimension.map(|(name, _)| name)).collect();
    let mut members: Map<String, Value> =
        series.dimension.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    members.insert("function".to_owned(), function.into());
    members.insert(series.name.to_owned(), values.clone());
    let metric = json!({"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": [{"Name": series.name, "Unit": series.unit}]});
    members.insert("_aws".to_owned(), json!({"Timestamp": at, "CloudWatchMetrics": [metric]}));
    Value::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLD_OUT: Series = Series { name: "Refusals", unit: "Count", dimension: Some(("code", "sold-out")) };
    const ENDED: Series = Series { name: "Refusals", unit: "Count", dimension: Some(("code", "sale-ended")) };
    const TOOK: Series = Series { name: "AnswerMilliseconds", unit: "Milliseconds", dimension: None };

    #[test]
    fn a_metric_is_one_line_whose_dimensions_and_value_are_members() {
        let line = line(1_790_000_000_000, "reserve", SOLD_OUT, &json!(17));
        assert!(!line.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "_aws": {"Timestamp": 1_790_000_000_000_i64, "CloudWatchMetrics": [{
                    "Namespace": "FlashSale",
                    "Dimensions": [["function", "code"]],
                    "Metrics": [{"Name": "Refusals", "Unit": "Count"}],
                }]},
                "function": "reserve", "code": "sold-out", "Refusals": 17,
            })
        );
    }

    #[test]
    fn the_first_is_written_at_once_and_the_next_when_a_second_is_over() {
        let mut sums = Sums::new();
        assert_eq!(sums.count(SOLD_OUT, 10_000), [(10_000, SOLD_OUT, json!(1))]);
        for now in [10_001, 10_500, 10_999] {
            assert_eq!(sums.count(SOLD_OUT, now), []);
        }
        assert_eq!(sums.count(ENDED, 10_999), []);
        let before = [(10_001, ENDED, json!(1)), (10_001, SOLD_OUT, json!(3))];
        assert_eq!(sums.count(SOLD_OUT, 11_000), [&before[..], &[(11_000, SOLD_OUT, json!(1))]].concat());
        assert_eq!(sums.count(SOLD_OUT, 11_001), []);
    }

    #[test]
    fn what_was_kept_through_a_pause_has_the_time_at_which_it_came() {
        let mut sums = Sums::new();
        sums.count(SOLD_OUT, 10_000);
        sums.count(SOLD_OUT, 10_400);
        assert_eq!(sums.count(SOLD_OUT, 900_000), [(10_400, SOLD_OUT, json!(1)), (900_000, SOLD_OUT, json!(1))]);
        assert_eq!(sums.count(SOLD_OUT, 901_000), [(901_000, SOLD_OUT, json!(1))]);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_back() {
        let mut sums = Sums::new();
        sums.count(SOLD_OUT, 10_000);
        assert_eq!(sums.count(SOLD_OUT, 9_000), [(9_000, SOLD_OUT, json!(1))]);
    }

    #[test]
    fn every_value_of_a_sample_is_written_a_hundred_to_a_line() {
        let mut sums = Sums::new();
        assert_eq!(sums.sample(TOOK, 1.5, 10_000), [(10_000, TOOK, json!([1.5]))]);
        for value in 0..250_u32 {
            sums.sample(TOOK, value.into(), 10_001);
        }
        let due = sums.sample(TOOK, 7.0, 11_000);
        let values: Vec<Vec<f64>> = due.into_iter().map(|(_, _, values)| serde_json::from_value(values).unwrap()).collect();
        assert_eq!(values.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50, 1]);
        assert_eq!(values.concat(), (0..250_u32).map(f64::from).chain([7.0]).collect::<Vec<_>>());
    }
}
