//! What checkov does not check has a reason, and what the reason says is so.

use serde_json::{Value, json};
use system_tests::{Repository, repository, template};

use crate::{Faults, none, notices, set};

/// Where the checks are that the product decides against everywhere.
const EVERYWHERE: &str = "infra/checkov.yaml";

/// The ids of the checks in [`EVERYWHERE`], each with the comment above it.
fn skipped_everywhere(text: &str) -> Vec<(&str, String)> {
    let (mut reason, mut skipped) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("  # ") {
            reason.push_str(comment);
        } else if let Some(id) = line.strip_prefix("  - ") {
            skipped.push((id, std::mem::take(&mut reason)));
        }
    }
    skipped
}

/// The resources for which a reason does not hold. `None`: no reason is known here.
fn exceptions(repository: &Repository, id: &str) -> Option<Vec<String>> {
    let template = &repository.template;
    let of = |kind: &str, is_exception: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let resources = template::resources(template, kind).filter(|(_, resource)| is_exception(&resource["Properties"]));
        resources.map(|(name, _)| name.to_owned()).collect()
    };
    let function = "AWS::Serverless::Function";
    Some(match id {
        "CKV_AWS_27" => of("AWS::SQS::Queue", &|queue| queue["SqsManagedSseEnabled"] != true),
        // Only an event source in `Events` invokes a function asynchronously.
        "CKV_AWS_116" => of(function, &|function| {
            let mut events = function["Events"].as_object().into_iter().flatten();
            events.any(|(_, event)| !["Api", "Schedule", "ScheduleV2"].iter().any(|kind| event["Type"] == *kind))
        }),
        "CKV_AWS_117" => of(function, &|function| !function["VpcConfig"].is_null()),
        "CKV_AWS_119" => of("AWS::DynamoDB::Table", &|table| !table["SSESpecification"].is_null()),
        "CKV_AWS_158" => of("AWS::Logs::LogGroup", &|group| !group["KmsKeyId"].is_null()),
        "CKV_AWS_173" => of(function, &|function| {
            let variables = function["Environment"]["Variables"].to_string();
            let parameters = template["Parameters"].as_object().into_iter().flatten();
            let mut secrets = parameters.filter(|(_, parameter)| parameter["NoEcho"] == true);
            variables.contains("{{resolve:") || secrets.any(|(name, _)| variables.contains(&format!("\"{name}\"")))
        }),
        _ => return None,
    })
}

fn everywhere(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (id, reason) in skipped_everywhere(&repository.checkov) {
        if reason.len() < 40 {
            faults.push(format!("{EVERYWHERE}: {id} is skipped without a reason"));
        }
        match exceptions(repository, id) {
            None => faults.push(format!("{EVERYWHERE}: no test checks the reason for {id}")),
            Some(exceptions) => {
                faults.extend(exceptions.iter().map(|name| format!("{name}: the reason for skipping {id} does not hold")));
            }
        }
    }
    faults
}

/// A skip in a template names one check and says why.
fn in_place(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (file, template) in [("template.yaml", &repository.template), ("infra/edge/template.yaml", &repository.edge)] {
        for (name, resource) in template["Resources"].as_object().into_iter().flatten() {
            for skip in resource["Metadata"]["checkov"]["skip"].as_array().into_iter().flatten() {
                let (id, reason) = (skip["id"].as_str().unwrap_or_default(), skip["comment"].as_str().unwrap_or_default());
                if !id.starts_with("CKV") || reason.len() < 20 {
                    faults.push(format!("{file}: {name} skips {id:?} without a reason"));
                }
                if skipped_everywhere(&repository.checkov).iter().any(|(skipped, _)| *skipped == id) && file == "template.yaml" {
                    faults.push(format!("{file}: {name} skips {id}, which {EVERYWHERE} skips already"));
                }
            }
        }
    }
    faults
}

/// Functions have their skips in comments: SAM builds once for all functions that share their `Metadata`.
fn in_comments(text: &str) -> Faults {
    let skips = text.lines().filter_map(|line| line.trim_start().strip_prefix("# checkov:skip="));
    let has_reason = |skip: &str| skip.split_once(':').is_some_and(|(id, reason)| id.starts_with("CKV") && reason.len() >= 20);
    skips.filter(|skip| !has_reason(skip)).map(|skip| format!("template.yaml: skips {skip:?} without a reason")).collect()
}

#[test]
fn what_checkov_skips_has_a_reason_that_holds() {
    let repository = Repository::read();
    assert!(skipped_everywhere(&repository.checkov).len() > 3, "{EVERYWHERE} is read");
    none(&everywhere(&repository));
    none(&in_place(&repository));
    let template = repository::text(&repository::root().join("template.yaml"));
    assert!(template.contains("# checkov:skip="), "the template has such comments");
    none(&in_comments(&template));
}

#[test]
fn a_skip_whose_reason_does_not_hold_is_noticed() {
    notices(
        everywhere,
        "OrdersQueue: the reason for skipping CKV_AWS_27",
        set("OrdersQueue", "SqsManagedSseEnabled", json!(false)),
    );
    notices(
        everywhere,
        "PayFunction: the reason for skipping CKV_AWS_117",
        set("PayFunction", "VpcConfig", json!({"SubnetIds": ["a"]})),
    );
    notices(everywhere, "CKV_AWS_116", set("FeedEdgeFunction", "Events", json!({"Push": {"Type": "SNS"}})));
    notices(everywhere, "CKV_AWS_173", |repository| {
        repository.template["Parameters"]["Key"] = json!({"Type": "String", "NoEcho": true});
        repository.template["Resources"]["PayFunction"]["Properties"]["Environment"]["Variables"]["KEY"] = json!({"Ref": "Key"});
    });
    notices(everywhere, "CKV_AWS_27 is skipped without a reason", |repository| repository.checkov.push_str("  - CKV_AWS_27\n"));
    notices(everywhere, "no test checks the reason for CKV_AWS_50", |repository| {
        repository.checkov.push_str("  # Nobody has said why, at some length, so that it looks like a reason.\n  - CKV_AWS_50\n");
    });
    notices(in_place, "AlarmsTopic skips \"CKV_AWS_26\" without a reason", |repository| {
        repository.template["Resources"]["AlarmsTopic"]["Metadata"]["checkov"]["skip"][0]["comment"] = json!("");
    });
    assert_eq!(in_comments("  # checkov:skip=CKV_AWS_115: because\n").len(), 1);
    notices(in_place, "AlarmsTopic skips CKV_AWS_27, which", |repository| {
        repository.template["Resources"]["AlarmsTopic"]["Metadata"]["checkov"]["skip"][0]["id"] = json!("CKV_AWS_27");
    });
}
