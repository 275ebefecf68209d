//! What each function may do: the template's policies agree exactly with the table of `docs/PERMISSIONS.md`.
//!
//! The document is the source: people review it, and AWS obeys the template. A change to only one of them fails.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use system_tests::{
    Repository,
    permissions::{self, DOCUMENT, Permissions},
    template,
};

use crate::{Faults, none, notices, properties};

fn of_document(repository: &Repository, faults: &mut Faults) -> Permissions {
    let text = repository.documents.get(Path::new(DOCUMENT)).map(String::as_str).unwrap_or_default();
    let (permissions, wrong) = permissions::read(text);
    faults.extend(wrong);
    permissions
}

pub(crate) fn of_template(repository: &Repository, faults: &mut Faults) -> Permissions {
    let mut permissions = Permissions::new();
    for (name, function) in template::functions(&repository.template) {
        let properties = &function.resource["Properties"];
        if !properties["Role"].is_null() {
            faults.push(format!("{name}: has a role that is not made for it alone"));
        }
        for policy in properties["Policies"].as_array().unwrap_or(&Vec::new()) {
            let Some(statements) = policy["Statement"].as_array() else {
                faults.push(format!("{name}: a policy that does not name its actions: {policy}"));
                continue;
            };
            for statement in statements {
                read_statement(&name, statement, &mut permissions, faults);
            }
        }
    }
    permissions
}

fn read_statement(function: &str, statement: &Value, permissions: &mut Permissions, faults: &mut Faults) {
    let members: BTreeSet<&str> =
        statement.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str).collect();
    if statement["Effect"] != "Allow" || members != BTreeSet::from(["Action", "Effect", "Resource"]) {
        faults.push(format!("{function}: a statement that is not Effect, Action, Resource: {statement}"));
    }
    for resource in template::one_or_many(&statement["Resource"]) {
        let Some(resource) = resource_name(resource) else {
            faults.push(format!("{function}: a resource that is not one of this template's: {resource}"));
            continue;
        };
        for action in template::one_or_many(&statement["Action"]) {
            match action.as_str() {
                Some(action) if action.contains(':') && !action.contains('*') => {
                    permissions.entry((function.to_owned(), resource.clone())).or_default().insert(action.to_owned());
                }
                Some(_) | None => faults.push(format!("{function}: an action that is not one named action: {action}")),
            }
        }
    }
}

/// How the ARNs of executions begin.
const EXECUTIONS: &str = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${";
/// How the ARNs of the stack's secrets begin.
const SECRETS: &str = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}";

/// `StockTable`, `StockTable stream`, `OrderTable/index/shopper-index`, `PaymentSaga executions`, `payment secrets`. `None` if the
/// resource is not named in full.
fn resource_name(resource: &Value) -> Option<String> {
    if let Some(attribute) = resource["Fn::GetAtt"].as_str() {
        return match attribute.split_once('.')? {
            (id, "Arn") => Some(id.to_owned()),
            (id, "StreamArn") => Some(format!("{id} stream")),
            _ => None,
        };
    }
    if let Some(text) = resource["Fn::Sub"].as_str() {
        match text.strip_prefix(SECRETS) {
            // Operators make the secrets, one for each account, so no resource of the template is one.
            Some(":secret:${AWS::StackName}/payments/*") => return Some("payment secrets".to_owned()),
            // Secrets Manager adds six characters to the name. `Ref` gives the whole ARN on AWS, and the name on the emulator.
            Some(":secret:${AWS::StackName}/challenges-??????") => return Some("ChallengeSecret".to_owned()),
            _ => {}
        }
        // IAM names executions by their state machine.
        if let Some(id) = text.strip_prefix(EXECUTIONS).and_then(|rest| rest.strip_suffix(".Name}:*")) {
            return Some(format!("{id} executions"));
        }
        let (id, rest) = text.strip_prefix("${")?.split_once(".Arn}")?;
        // IAM accepts no single stream for ListStreams. This is the narrowest resource that it accepts.
        return if rest == "/stream/*" || !rest.contains('*') { Some(format!("{id}{rest}")) } else { None };
    }
    // The second name is that of a resource which does not exist, where the stack has no use for the first.
    if let Some([_, resource, _]) = resource["Fn::If"].as_array().map(Vec::as_slice) {
        return resource_name(resource);
    }
    // `Ref` of a state machine or a topic gives its ARN.
    resource["Ref"].as_str().map(str::to_owned)
}

/// What Lambda needs to read a queue: the actions of AWS' managed policy `AWSLambdaSQSQueueExecutionRole`.
const QUEUE: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
/// What Lambda needs to read a stream.
const STREAM: [&str; 3] = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];

/// Lambda reads a function's queue or stream with the function's own permissions, and sends with them what it gives up on: function,
/// resource and actions.
pub(crate) fn needs_of_lambda(repository: &Repository) -> Vec<(String, String, &'static [&'static str])> {
    let mut needs: Vec<(String, String, &[&str])> = Vec::new();
    for (_, mapping) in template::resources(&repository.template, "AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        let function = template::folder_name(template::target(&properties["FunctionName"]).unwrap_or_default());
        let source = template::target(&properties["EventSourceArn"]).unwrap_or_default();
        if repository.template["Resources"][source]["Type"] == "AWS::SQS::Queue" {
            needs.push((function.clone(), source.to_owned(), &QUEUE));
        } else {
            needs.push((function.clone(), format!("{source} stream"), &STREAM));
            needs.push((function.clone(), format!("{source}/stream/*"), &["dynamodb:ListStreams"]));
        }
        let given_up = template::target(&properties["DestinationConfig"]["OnFailure"]["Destination"]);
        needs.extend(given_up.map(|queue| (function, queue.to_owned(), &["sqs:SendMessage"][..])));
    }
    needs
}

fn for_lambda(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let granted = of_template(repository, &mut faults);
    for (function, resource, actions) in needs_of_lambda(repository) {
        let has = granted.get(&(function.clone(), resource.clone()));
        let missing = actions.iter().filter(|action| !has.is_some_and(|has| has.contains(**action)));
        faults.extend(missing.map(|action| format!("{function} may not {action} of {resource}")));
    }
    faults
}

#[test]
fn lambda_may_read_for_each_function_and_send_what_it_gives_up_on() {
    none(&for_lambda(&Repository::read()));
    for (statement, lost) in [(1, "ListStreams of ReservationTable/stream/*"), (2, "SendMessage of StreamFailuresQueue")] {
        let lose = move |function: &mut Value| {
            function["Policies"][0]["Statement"].as_array_mut().unwrap().remove(statement);
        };
        notices(for_lambda, lost, properties("ScheduleExpiryFunction", lose));
    }
}

fn compared(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    let documented = of_document(repository, &mut faults);
    let granted = of_template(repository, &mut faults);
    let nothing = BTreeSet::new();
    let pairs: BTreeSet<_> = documented.keys().chain(granted.keys()).collect();
    for pair in pairs {
        let (documented, granted) = (documented.get(pair).unwrap_or(&nothing), granted.get(pair).unwrap_or(&nothing));
        let (function, resource) = pair;
        faults.extend(
            granted.difference(documented).map(|action| format!("{function}: {action} on {resource} is not in {DOCUMENT}")),
        );
        faults.extend(
            documented.difference(granted).map(|action| format!("{function}: {action} on {resource} is not in the template")),
        );
    }
    faults
}

/// One statement may name the wildcard alone: the state machine's log delivery, which IAM grants only for the whole account.
fn wildcards(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (id, resource) in repository.template["Resources"].as_object().unwrap() {
        for policy in resource["Properties"]["Policies"].as_array().unwrap_or(&Vec::new()) {
            for statement in policy["Statement"].as_array().unwrap_or(&Vec::new()) {
                let everywhere = template::one_or_many(&statement["Resource"]).contains(&&json!("*"));
                let log_delivery = template::one_or_many(&statement["Action"])
                    .iter()
                    .all(|action| action.as_str().is_some_and(|action| action.starts_with("logs:") && !action.contains('*')));
                if everywhere && !(resource["Type"] == "AWS::Serverless::StateMachine" && log_delivery) {
                    faults.push(format!("{id}: {} on everything", statement["Action"]));
                }
            }
        }
    }
    faults
}

#[test]
fn every_function_may_do_what_the_document_says_and_nothing_else() {
    none(&compared(&Repository::read()));
}

#[test]
fn a_policy_that_grants_more_or_less_is_noticed() {
    fn statement(repository: &mut Repository) -> &mut Value {
        &mut repository.template["Resources"]["GetSaleFunction"]["Properties"]["Policies"][0]["Statement"][0]
    }
    notices(compared, "PutItem on StockTable is not in docs", |repository| {
        statement(repository)["Action"] = json!(["dynamodb:GetItem", "dynamodb:PutItem"]);
    });
    notices(compared, "not one named action", |repository| {
        statement(repository)["Action"] = json!(["dynamodb:GetItem", "dynamodb:*"]);
    });
    notices(compared, "not one of this template's", |repository| {
        statement(repository)["Resource"] = json!([{"Fn::GetAtt": "StockTable.Arn"}, "*"]);
    });
    notices(compared, "not one of this template's", |repository| {
        statement(repository)["Resource"] = json!([{"Fn::GetAtt": "StockTable.Arn"}, {"Fn::Sub": "${StockTable.Arn}*"}]);
    });
    notices(compared, "not in the template", |repository| statement(repository)["Action"] = json!([]));
    notices(compared, "is not Effect, Action, Resource", |repository| {
        statement(repository)["NotAction"] = json!("dynamodb:Scan");
    });
    notices(compared, "not made for it alone", |repository| {
        repository.template["Resources"]["GetSaleFunction"]["Properties"]["Role"] = json!("arn:aws:iam::123456789012:role/admin");
    });
    notices(compared, "does not name its actions", |repository| {
        let policies = &mut repository.template["Resources"]["GetSaleFunction"]["Properties"]["Policies"];
        policies.as_array_mut().unwrap().push(json!("AmazonDynamoDBFullAccess"));
    });
}

#[test]
fn no_policy_is_about_everything() {
    none(&wildcards(&Repository::read()));
    notices(wildcards, "ApiX: \"dynamodb:Scan\" on everything", |repository| {
        repository.template["Resources"]["ApiX"] = json!({"Type": "AWS::Serverless::StateMachine", "Properties": {"Policies": [
            {"Statement": [{"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}]}
        ]}});
    });
}
