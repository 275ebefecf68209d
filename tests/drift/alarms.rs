//! Every alarm notifies the alarms topic, and the runbook says what to do about it. What fails without an answer has an alarm.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use system_tests::{Repository, template};

use crate::{Faults, none, notices, properties, set, without};

const RUNBOOK: &str = "docs/runbook.md";

fn alarms(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let text = repository.documents.get(Path::new(RUNBOOK)).map(String::as_str).unwrap_or_default();
    let explained: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .filter(|name| name.ends_with("Alarm"))
        .collect();
    let mut known = BTreeSet::new();
    for (id, resource) in template::resources(&repository.template, "AWS::CloudWatch::Alarm") {
        known.insert(id);
        if !explained.contains(id) {
            faults.push(format!("{RUNBOOK}: does not say what to do at {id}"));
        }
        if resource["Properties"]["AlarmActions"] != json!([{"Ref": "AlarmsTopic"}]) {
            faults.push(format!("{id}: calls nobody"));
        }
        let metric = resource["Properties"]["MetricName"].as_str().unwrap_or_default();
        if resource["Properties"]["Namespace"] == "FlashSale" && !is_written(repository, metric) {
            faults.push(format!("{id}: no function writes the metric {metric}"));
        }
    }
    faults.extend(explained.difference(&known).map(|name| format!("{RUNBOOK}: there is no {name}")));
    faults
}

/// Whether the product's code names a metric.
fn is_written(repository: &Repository, metric: &str) -> bool {
    repository.product_sources().any(|source| source.contains(&format!("\"{metric}\"")))
}

/// The alarms on one metric, with the values of these dimensions.
fn on<'r>(repository: &'r Repository, metric: &str, dimensions: &[(&str, Value)]) -> Vec<&'r Value> {
    let dimensions: Value = dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    let is_on = |stat: &Value| {
        format!("{}/{}", stat["Namespace"].as_str().unwrap_or_default(), stat["MetricName"].as_str().unwrap_or_default())
            == metric
            && *stat.get("Dimensions").unwrap_or(&json!([])) == dimensions
    };
    let alarms = template::resources(&repository.template, "AWS::CloudWatch::Alarm").map(|(_, alarm)| &alarm["Properties"]);
    alarms
        .filter(|alarm| {
            let metrics = alarm["Metrics"].as_array();
            is_on(alarm) || metrics.into_iter().flatten().any(|metric| is_on(&metric["MetricStat"]["Metric"]))
        })
        .collect()
}

/// What fails without an answer that a person would notice.
fn silence(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let mut watched = |metric: &str, dimensions: &[(&str, Value)]| {
        if on(repository, metric, dimensions).is_empty() {
            let of: Vec<String> = dimensions.iter().map(|(_, value)| value.to_string()).collect();
            faults.push(format!("no alarm is on {metric} {}", of.join(" ")));
        }
    };
    watched("AWS/Lambda/Throttles", &[]);
    watched("AWS/Lambda/ConcurrentExecutions", &[]);
    watched("AWS/ApiGateway/5XXError", &[("ApiName", json!({"Ref": "AWS::StackName"})), ("Stage", json!({"Ref": "Api.Stage"}))]);
    for (id, table) in template::resources(&repository.template, "AWS::DynamoDB::Table") {
        let name = ("TableName", json!({"Ref": id}));
        for metric in ["AWS/DynamoDB/ReadThrottleEvents", "AWS/DynamoDB/WriteThrottleEvents"] {
            watched(metric, std::slice::from_ref(&name));
            // The metric of a table leaves the table's indexes out.
            for index in table["Properties"]["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
                watched(metric, &[name.clone(), ("GlobalSecondaryIndexName", index["IndexName"].clone())]);
            }
        }
    }
    for (_, mapping) in template::resources(&repository.template, "AWS::Lambda::EventSourceMapping") {
        let source = template::target(&mapping["Properties"]["EventSourceArn"]).unwrap_or_default();
        if repository.template["Resources"][source]["Type"] == "AWS::DynamoDB::Table" {
            let reader = &mapping["Properties"]["FunctionName"];
            watched("AWS/Lambda/IteratorAge", &[("FunctionName", reader.clone())]);
            // This function reads nothing of a record but its key, and leaves none out.
            if *reader != json!({"Ref": "FeedEdgeFunction"}) {
                watched("FlashSale/RecordsLeftOut", &[("function", reader.clone())]);
            }
        }
    }
    for (id, function) in template::resources(&repository.template, "AWS::Serverless::Function") {
        let events = function["Properties"]["Events"].as_object();
        let is_scheduled = events.into_iter().flat_map(|events| events.values()).any(|event| event["Type"] == "Schedule");
        let runs = on(repository, "AWS/Lambda/Invocations", &[("FunctionName", json!({"Ref": id}))]);
        let notices =
            |alarm: &&Value| alarm["TreatMissingData"] == "breaching" && alarm["ComparisonOperator"] == "LessThanThreshold";
        if is_scheduled && !runs.iter().any(notices) {
            faults.push(format!("no alarm says that {id} does not run"));
        }
    }
    faults
}

/// The expression of an alarm names every metric of it: a metric that is left out is not watched.
fn expressions(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (id, alarm) in template::resources(&repository.template, "AWS::CloudWatch::Alarm") {
        let metrics: Vec<&Value> = alarm["Properties"]["Metrics"].as_array().into_iter().flatten().collect();
        let expression: String = metrics.iter().filter_map(|metric| metric["Expression"].as_str()).collect();
        for metric in metrics.iter().filter(|metric| metric["Expression"].is_null()) {
            let name = metric["Id"].as_str().unwrap_or_default();
            if !expression.contains(&format!("FILL({name},0)")) {
                faults.push(format!("{id}: does not add {name}"));
            }
        }
    }
    faults
}

#[test]
fn what_fails_in_silence_has_an_alarm() {
    none(&silence(&Repository::read()));
    none(&expressions(&Repository::read()));
}

#[test]
fn a_silent_failure_without_an_alarm_is_noticed() {
    notices(silence, "no alarm is on AWS/Lambda/Throttles", without("FunctionsThrottledAlarm"));
    notices(silence, "no alarm is on AWS/Lambda/ConcurrentExecutions", without("ConcurrencyHighAlarm"));
    notices(silence, "no alarm is on AWS/ApiGateway/5XXError", set("ApiErrorsAlarm", "MetricName", json!("4XXError")));
    notices(silence, "IteratorAge {\"Ref\":\"ScheduleExpiryFunction\"}", without("ExpiriesLateAlarm"));
    let elsewhere = |alarm: &mut Value| alarm["Dimensions"][0]["Value"] = json!({"Ref": "ReleaseStockFunction"});
    notices(silence, "RecordsLeftOut {\"Ref\":\"ScheduleExpiryFunction\"}", properties("ExpiryLeftOutAlarm", elsewhere));
    notices(silence, "no alarm says that ReconcileFunction", set("ReconcileStoppedAlarm", "TreatMissingData", json!("ignore")));
    notices(silence, "AWS/DynamoDB/WriteThrottleEvents {\"Ref\":\"StockTable\"}", |repository| {
        let metrics = &mut repository.template["Resources"]["StockThrottledAlarm"]["Properties"]["Metrics"];
        metrics.as_array_mut().unwrap().retain(|metric| metric["MetricStat"]["Metric"]["MetricName"] != "WriteThrottleEvents");
    });
    notices(silence, "ReadThrottleEvents {\"Ref\":\"OrderTable\"} \"shopper-index\"", |repository| {
        let metrics = &mut repository.template["Resources"]["OrderThrottledAlarm"]["Properties"]["Metrics"];
        metrics[3]["MetricStat"]["Metric"]["Dimensions"][1]["Value"] = json!("another-index");
    });
    notices(expressions, "StockThrottledAlarm: does not add m2", |repository| {
        repository.template["Resources"]["StockThrottledAlarm"]["Properties"]["Metrics"][0]["Expression"] = json!("FILL(m1,0)");
    });
}

#[test]
fn every_alarm_calls_somebody_who_can_read_what_to_do() {
    none(&alarms(&Repository::read()));
}

#[test]
fn an_alarm_that_helps_nobody_is_noticed() {
    notices(alarms, "no function writes the metric Skipped", set("ExpiryLeftOutAlarm", "MetricName", json!("Skipped")));
    notices(alarms, "does not say what to do at OrdersLateAlarm", |repository| {
        let runbook = repository.documents.get_mut(Path::new(RUNBOOK)).unwrap();
        *runbook = runbook.replace("`OrdersLateAlarm`", "an alarm");
    });
    notices(alarms, "there is no OrdersLateAlarm", |repository| {
        repository.template["Resources"].as_object_mut().unwrap().remove("OrdersLateAlarm");
    });
    notices(alarms, "SagaFailedAlarm: calls nobody", |repository| {
        repository.template["Resources"]["SagaFailedAlarm"]["Properties"]["AlarmActions"] = json!([]);
    });
}
