//! CloudFormation can create the stack, roll a failed creation back, and leaves data alone. What the stack keeps is encrypted,
//! reached over TLS only, and forgotten in time.

use serde_json::{Value, json};
use system_tests::{Repository, template};

use crate::{Faults, none, notices, properties};

/// The properties that protect a resource from being deleted.
const PROTECTIONS: [&str; 2] = ["DeletionProtection", "DeletionProtectionEnabled"];
/// The types of resources that hold data of shoppers.
const HOLD_DATA: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool"];
/// Characters of the access log's format, at most.
const LONGEST_ACCESS_LOG_FORMAT: usize = 400;

/// A protected resource that is to be deleted when its creation is rolled back makes the roll-back fail.
fn protection(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (id, resource) in repository.template["Resources"].as_object().into_iter().flatten() {
        let is_protected = PROTECTIONS.iter().any(|property| resource["Properties"].get(property).is_some());
        let holds_data = HOLD_DATA.iter().any(|kind| resource["Type"] == *kind);
        if holds_data && !is_protected {
            faults.push(format!("{id}: has no deletion protection"));
        }
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            if (holds_data || is_protected) && resource[policy] != "Retain" {
                faults.push(format!("{id}: {policy} is {}, not Retain", resource[policy]));
            }
        }
    }
    faults
}

/// CloudFormation refuses a template in which a resource depends on one that its condition leaves out.
fn order(repository: &Repository) -> Faults {
    let resources = &repository.template["Resources"];
    let mut faults = Faults::new();
    for (id, resource) in resources.as_object().into_iter().flatten() {
        for other in template::one_or_many(&resource["DependsOn"]).into_iter().filter_map(Value::as_str) {
            let condition = &resources[other]["Condition"];
            if resources.get(other).is_none() {
                faults.push(format!("{id}: depends on {other}, which does not exist"));
            } else if !condition.is_null() && *condition != resource["Condition"] {
                faults.push(format!("{id}: depends on {other}, which exists only if {condition}"));
            }
        }
    }
    faults
}

#[test]
fn a_protected_resource_stays_when_its_creation_is_rolled_back() {
    none(&protection(&Repository::read()));
}

#[test]
fn a_resource_that_cannot_be_rolled_back_or_is_not_protected_is_noticed() {
    for (id, policy) in [("ShopperPool", "DeletionPolicy"), ("OrderTable", "UpdateReplacePolicy")] {
        notices(protection, &format!("{id}: {policy} is \"RetainExceptOnCreate\", not Retain"), |repository| {
            repository.template["Resources"][id][policy] = json!("RetainExceptOnCreate");
        });
    }
    let unprotected = |table: &mut Value| _ = table.as_object_mut().unwrap().remove("DeletionProtectionEnabled");
    notices(protection, "StockTable: has no deletion protection", properties("StockTable", unprotected));
}

#[test]
fn no_resource_depends_on_one_that_may_be_left_out() {
    none(&order(&Repository::read()));
    for (other, what) in [("ApiLogsAccount", "exists only if \"CreateApiLogsRole\""), ("Nothing", "does not exist")] {
        notices(order, what, |repository| repository.template["Resources"]["Api"]["DependsOn"] = json!([other]));
    }
}

/// A key that AWS owns costs nothing. Any other key is billed for each use.
fn keys(repository: &Repository) -> Faults {
    template::resources(&repository.template, "AWS::DynamoDB::Table")
        .filter(|(_, table)| !table["Properties"]["SSESpecification"].is_null())
        .map(|(id, _)| format!("{id}: is encrypted with a key that is billed"))
        .collect()
}

#[test]
fn tables_are_encrypted_with_the_key_that_costs_nothing() {
    none(&keys(&Repository::read()));
    notices(keys, "OrderTable: is encrypted", |repository| {
        repository.template["Resources"]["OrderTable"]["Properties"]["SSESpecification"] = json!({"SSEEnabled": true});
    });
}

/// The policies of queues and topics, with the list of those that each applies to.
const ATTACHED: [(&str, &str, &str, &str); 2] = [
    ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
];

/// Every queue and topic of a stack on AWS denies requests without TLS.
fn transport(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let plain = json!({"Bool": {"aws:SecureTransport": "false"}});
    for (kind, policy, members, action) in ATTACHED {
        for (id, _) in template::resources(&repository.template, kind) {
            let denies = |policy: &Value| {
                let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array();
                let names = |value: &Value| *value == "*" || template::target(value) == Some(id);
                policy["Condition"] == "IsOnAws"
                    && template::one_or_many(&policy["Properties"][members])
                        .into_iter()
                        .any(|one| template::target(one) == Some(id))
                    && statements.into_iter().flatten().any(|statement| {
                        statement["Effect"] == "Deny"
                            && statement["Principal"] == "*"
                            && statement["Action"] == action
                            && statement["Condition"] == plain
                            && names(&statement["Resource"])
                    })
            };
            if !template::resources(&repository.template, policy).any(|(_, policy)| denies(policy)) {
                faults.push(format!("{id}: answers plain HTTP"));
            }
        }
    }
    faults
}

#[test]
fn queues_and_topics_refuse_plain_http() {
    none(&transport(&Repository::read()));
    let statement = |id: &'static str, at: usize, member: &'static str, value: Value| {
        move |repository: &mut Repository| {
            repository.template["Resources"][id]["Properties"]["PolicyDocument"]["Statement"][at][member] = value;
        }
    };
    notices(transport, "AlarmsTopic: answers plain HTTP", statement("AlarmsTopicPolicy", 1, "Effect", json!("Allow")));
    notices(transport, "NotificationsTopic: answers", statement("NotificationsTopicPolicy", 0, "Action", json!("sns:Subscribe")));
    notices(transport, "NotificationsTopic: answers", statement("NotificationsTopicPolicy", 0, "Condition", Value::Null));
    notices(transport, "ExpiryQueue: answers", |repository| {
        let queues = &mut repository.template["Resources"]["QueuesPolicy"]["Properties"]["Queues"];
        queues.as_array_mut().unwrap().retain(|queue| template::target(queue) != Some("ExpiryQueue"));
    });
}

/// A line of the access log, with the names of its variables as values. API Gateway replaces each by text; only times are numbers.
fn lines_of(format: &str) -> Option<Value> {
    let number = "$context.requestTimeEpoch";
    if format.trim_end().contains('\n') {
        return None;
    }
    serde_json::from_str(&format.replace(&format!(":{number}"), ":0")).ok()
}

/// The condition of the access log, its setting, and what holds without it.
fn access_log(api: &Value) -> [&Value; 3] {
    let choice = &api["AccessLogSetting"]["Fn::If"];
    [0, 1, 2].map(|place| &choice[place])
}

/// Log groups of functions are checked in `functions.rs`.
fn logs(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let api = &repository.template["Resources"]["Api"]["Properties"];
    for (id, group) in template::resources(&repository.template, "AWS::Logs::LogGroup") {
        if group["Properties"]["RetentionInDays"] != json!({"Ref": "LogRetentionDays"}) {
            faults.push(format!("{id}: keeps its entries for ever"));
        }
    }
    let execution = template::target(&api["Tags"]["execution-log"]).unwrap_or_default();
    let name = format!("API-Gateway-Execution-Logs_${{Api}}/{}", api["StageName"].as_str().unwrap_or_default());
    if repository.template["Resources"][execution]["Properties"]["LogGroupName"]["Fn::Sub"] != json!(name) {
        faults.push(format!("the stage does not wait for the log group {name}, so API Gateway makes it without a retention"));
    }
    let [condition, setting, off] = access_log(api);
    if [condition, off] != [&json!("KeepsAccessLog"), &json!({"Ref": "AWS::NoValue"})] {
        faults.push("the access log cannot be turned off".to_owned());
        return faults;
    }
    if repository.template["Conditions"]["KeepsAccessLog"] != json!({"Fn::Equals": [{"Ref": "AccessLog"}, "true"]}) {
        faults.push("the access log is not kept only when `AccessLog` says so".to_owned());
    }
    let format = setting["Format"].as_str().unwrap_or_default();
    if format.contains("identity.sourceIp") && format.contains("authorizer.principalId") {
        faults.push("the access log says from which address a shopper came".to_owned());
    }
    let line = lines_of(format);
    if line.as_ref().is_none_or(|line| line["request_id"] != "$context.requestId") {
        faults.push(format!("the access log's format is not one line of JSON with the request's id: {format}"));
    }
    if format.contains("$context.path") {
        faults.push("the access log holds paths, and so ids of orders".to_owned());
    }
    if format.len() > LONGEST_ACCESS_LOG_FORMAT {
        faults.push(format!("each request costs a line of the access log of more than {LONGEST_ACCESS_LOG_FORMAT} characters"));
    }
    faults
}

#[test]
fn logs_are_forgotten_and_do_not_say_where_a_shopper_was() {
    none(&logs(&Repository::read()));
    let api = |change: fn(&mut Value)| properties("Api", change);
    notices(logs, "does not wait for the log group", api(|api| api["StageName"] = json!("v2")));
    notices(logs, "does not wait for the log group", api(|api| api["Tags"] = json!({})));
    notices(
        logs,
        "from which address",
        api(|api| {
            let format = access_log(api)[1]["Format"].as_str().unwrap();
            let format = format.replace('}', ",\"address\":\"$context.identity.sourceIp\"}");
            api["AccessLogSetting"]["Fn::If"][1]["Format"] = json!(format);
        }),
    );
    notices(logs, "cannot be turned off", api(|api| api["AccessLogSetting"] = access_log(api)[1].clone()));
    let format = |change: fn(&str) -> String| {
        properties("Api", move |api| {
            let changed = change(access_log(api)[1]["Format"].as_str().unwrap());
            api["AccessLogSetting"]["Fn::If"][1]["Format"] = json!(changed);
        })
    };
    notices(logs, "not one line of JSON", format(|text| text.replace(',', ",\n")));
    notices(logs, "not one line of JSON", format(|text| text.replacen('"', "", 1)));
    notices(logs, "not one line of JSON", format(|text| text.replace("$context.requestId", "$context.extendedRequestId")));
    notices(logs, "holds paths", format(|text| text.replace('{', "{\"path\":\"$context.path\",")));
    notices(logs, "only when", |repository| {
        repository.template["Conditions"]["KeepsAccessLog"] = json!({"Fn::Equals": [{"Ref": "AccessLog"}, "false"]});
    });
    notices(
        logs,
        "costs a line",
        api(|api| {
            api["AccessLogSetting"]["Fn::If"][1]["Format"] =
                json!(format!("{{\"request_id\":\"$context.requestId\"{}}}", " ".repeat(400)));
        }),
    );
    notices(logs, "ApiExecutionLogGroup: keeps its entries for ever", |repository| {
        repository.template["Resources"]["ApiExecutionLogGroup"]["Properties"]["RetentionInDays"] = Value::Null;
    });
}
