//! Every alarm notifies the alarms topic, and the runbook says what to do about it.

use std::{collections::BTreeSet, path::Path};

use serde_json::json;
use system_tests::{Repository, template};

use crate::{Faults, none, notices};

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
    }
    faults.extend(explained.difference(&known).map(|name| format!("{RUNBOOK}: there is no {name}")));
    faults
}

#[test]
fn every_alarm_calls_somebody_who_can_read_what_to_do() {
    none(&alarms(&Repository::read()));
}

#[test]
fn an_alarm_that_helps_nobody_is_noticed() {
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
