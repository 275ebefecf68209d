//! Metrics in CloudWatch's embedded metric format: a line of JSON on standard output that CloudWatch Logs turns into a
//! metric. It needs no API call and no agent.
//!
//! Format: CloudWatch user guide, "Specification: Embedded metric format".

use domain::Clock;
use serde_json::{Map, Value, json};

use crate::{SystemClock, configuration::function_name};

const NAMESPACE: &str = "FlashSale";

/// Counts one occurrence of `name` with these dimensions and the function's name.
pub fn count(name: &str, dimensions: &[(&str, &str)]) {
    record(name, 1.0, "Count", dimensions);
}

/// Records a `value` in a CloudWatch unit (`Count`, `Milliseconds`, …) with these dimensions and the function's name.
pub fn record(name: &str, value: f64, unit: &str, dimensions: &[(&str, &str)]) {
    println!("{}", line(SystemClock.now().as_millisecond(), function_name(), name, value, unit, dimensions));
}

fn line(at_milliseconds: i64, function: &str, name: &str, value: f64, unit: &str, dimensions: &[(&str, &str)]) -> String {
    let names: Vec<&str> = std::iter::once("function").chain(dimensions.iter().map(|(name, _)| *name)).collect();
    let mut members = Map::new();
    for (name, value) in dimensions {
        members.insert((*name).to_owned(), Value::from(*value));
    }
    members.insert("function".to_owned(), Value::from(function));
    members.insert(name.to_owned(), Value::from(value));
    let metric = json!({"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": [{"Name": name, "Unit": unit}]});
    members.insert("_aws".to_owned(), json!({"Timestamp": at_milliseconds, "CloudWatchMetrics": [metric]}));
    Value::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_one_line_whose_dimensions_and_value_are_members() {
        let line = line(1_790_000_000_000, "reserve", "Refusals", 1.0, "Count", &[("code", "sold-out")]);
        assert!(!line.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "_aws": {"Timestamp": 1_790_000_000_000_i64, "CloudWatchMetrics": [{
                    "Namespace": "FlashSale",
                    "Dimensions": [["function", "code"]],
                    "Metrics": [{"Name": "Refusals", "Unit": "Count"}],
                }]},
                "function": "reserve", "code": "sold-out", "Refusals": 1.0,
            })
        );
    }
}
